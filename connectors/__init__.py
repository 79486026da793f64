"""One folder per third party. Imports nothing of `bot`: an inbound edge is handed the callable it calls."""
