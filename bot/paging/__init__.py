"""Texts and calls to people on call, and what they answer."""
