"""Failed deliveries: each is followed up until a second attempt is booked, or its end is decided."""
