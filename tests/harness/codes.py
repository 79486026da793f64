"""An access code for tests that look for it in everything kept or shown."""

DOOR_CODE = "90417263"
"""As long as codes get: four digits stand by chance in ids, digests and instants, these do not."""
