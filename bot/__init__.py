"""The product. Domain folders; `bot.app` is the only place where objects are made and handed to each other."""
