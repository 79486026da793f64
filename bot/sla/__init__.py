"""The watch over promises: what is at risk, since when, and why."""
