"""The dispatchers' workspace: Slack."""
