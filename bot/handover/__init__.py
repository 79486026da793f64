"""Events for the clients' own systems: recorded, handed over in order, set aside when nobody takes them."""
