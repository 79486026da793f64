"""What needs a dispatcher today: follow-ups of failed deliveries, and stops that are late."""
