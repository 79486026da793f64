"""Onfleet, API v2: `client.OnfleetPlatform`, `webhook.router`, and the vendor pretended in `emulator`."""
