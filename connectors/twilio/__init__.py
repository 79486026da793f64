"""Twilio: text messages in and out, their receipts, and the vendor pretended."""
