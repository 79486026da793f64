"""The day's manifest of each zone: built of one snapshot, posted once, kept current; who hears of late changes."""
