"""Web chat: recipients who write in a browser. The vendor is our own widget, in `bot/web/static/chat`."""
