"""The App Home: a dispatcher's own page in Slack."""
