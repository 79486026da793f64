"""The one place where objects are made and handed to each other. Start reading at `building.build`.

`vendors` are the clients of everything outside, `building` makes the services, `edges` mounts what others call,
`running` opens it all and lets it work, `clockwork` says what the clock does.
"""

from bot.app.building import Doorline, build
from bot.app.clockwork import catch_up_texts
from bot.app.edges import create_app
from bot.app.running import running
from bot.app.vendors import Vendors, open_vendors

__all__ = ["Doorline", "Vendors", "build", "catch_up_texts", "create_app", "open_vendors", "running"]
