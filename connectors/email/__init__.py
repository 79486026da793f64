"""Email: mails in over SMTP or a signed route, replies out over SMTP, bounces, and the mail world pretended."""
