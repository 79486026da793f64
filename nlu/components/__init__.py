"""Rasa graph components. They run in Rasa's environment and import nothing of ours but each other."""
