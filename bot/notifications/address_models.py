"""Table of what carriers said of the addresses of people: which of them cannot be written to."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.db import choice, instant
from connectors.base import ChannelName


class AddressTrouble(SQLModel, table=True):
    """An address on which the last thing sent failed for a reason of the address itself."""

    __tablename__ = "address_trouble"

    channel: ChannelName = choice(ChannelName, primary_key=True)
    address: str = Field(primary_key=True)
    error_code: str
    """The carrier's, of the last time."""
    times: int = 1
    """So often in a row; a message that arrives ends the row."""
    last_at: datetime = instant()
    """Day's time."""
