"""Signed webhooks to the clients' own systems, by the Standard Webhooks scheme."""
