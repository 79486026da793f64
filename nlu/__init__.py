"""What Rasa reads: domain, training data and our pipeline components. Nothing of the app is imported here."""
