"""Telling a person, once, and the next one if nobody has it: raise, step, acknowledge, resolve."""
