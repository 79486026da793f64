"""OptimoRoute, WS API v1: `client.OptimoRoutePlatform`, and the vendor pretended in `emulator`."""
