"""Drivers: what they are asked and told by text, and whether today's route is theirs."""
