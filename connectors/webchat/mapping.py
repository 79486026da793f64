"""The socket's words turned into ours, and back. Pure."""

from connectors.base import ChannelName, InboundMessage
from connectors.webchat.feed import Author, Line
from connectors.webchat.payloads import LONGEST_TEXT, ErrorCode, MessageFrame, Text

OUR_ADDRESS = "webchat"


def fault_of(text: Text) -> str | None:
    """The code with which a text is refused for good; None when it may be stored."""
    if text.photos:
        return ErrorCode.NO_PHOTOS
    if not text.text.strip():
        return ErrorCode.EMPTY
    return ErrorCode.TOO_LONG if len(text.text) > LONGEST_TEXT else None


def inbound_message(text: Text, address: str, network: str) -> InboundMessage:
    """`network` is where the browser connects from, an IPv6 address cut to its /64."""
    return InboundMessage(
        channel=ChannelName.WEBCHAT,
        vendor_id=vendor_id(address, text.id),
        sender=address,
        recipient=OUR_ADDRESS,
        text=text.text,
        network_address=network,
    )


def vendor_id(address: str, client_id: str) -> str:
    """The same id from another session is another text."""
    return f"{address}:{client_id}"


def message_frame(line: Line) -> MessageFrame:
    return MessageFrame(
        id=line.number, text=line.text, at=line.at, author=Author(line.author), client_id=line.client_id
    )
