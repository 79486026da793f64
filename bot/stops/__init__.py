"""Stops, routes and drivers as the platforms tell them; which stop a text is about; moving a promise."""
