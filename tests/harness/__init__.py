"""The real application between pretended vendors, on loopback, under a clock that the test moves."""
