"""Who the tests pretend to be to each vendor: names, numbers, keys."""

TIMEZONE = "America/New_York"
ACCOUNT_SID = "AC" + "0a" * 16
AUTH_TOKEN = "the-auth-token"
OUR_NUMBER = "+15005550006"
OUR_MAIL = "delivery@quickship.example"
BOT_TOKEN = "xoxb-the-bot"
SIGNING_SECRET = "the-signing-secret"
ONFLEET_KEY = "the-onfleet-key"
ONFLEET_SECRET = "0d" * 32
ROUTE4ME_KEY = "the-route4me-key"
OPTIMOROUTE_KEY = "the-optimoroute-key"
CHANNEL = "C0DISPATCH"
DISPATCHERS = [{"id": "U0DANA", "name": "Dana"}, {"id": "U0SAM", "name": "Sam"}]
USERGROUPS = {"S0NORTH": ["U0SAM"]}
"""Slack user groups and who is in them, in Slack's order."""
