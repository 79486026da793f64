"""Maintenance windows: what is not raised for a while, and what would have been."""
