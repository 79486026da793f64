"""What goes over the socket: one JSON object per frame, named by `type`."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from connectors.errors import UnreadablePayloadError
from connectors.webchat.feed import Author

LONGEST_TEXT = 1600
LONGEST_FRAME = 16 * 1024
"""Characters. The longest text, each character escaped, with everything around it."""


class Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


# --- from the browser -------------------------------------------------------------------------


class Hello(Frame):
    """The first frame. Without `session`, or with one that has ended, a new one is issued."""

    type: Literal["hello"]
    session: str | None = None
    last_seen: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Number of the last line that this browser has; None asks for the end of the conversation."""


class Text(Frame):
    type: Literal["text"]
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    """Made by the browser, kept when the text is sent again."""
    text: str
    photos: list[Any] = []


class Typing(Frame):
    """Somebody is there: keeps the line from being closed as idle."""

    type: Literal["typing"]


Incoming = Annotated[Hello | Text | Typing, Field(discriminator="type")]
_INCOMING: TypeAdapter[Hello | Text | Typing] = TypeAdapter(Incoming)


def read(frame: str) -> Hello | Text | Typing:
    """Raises `UnreadablePayloadError`; its text holds nothing of what was sent."""
    try:
        return _INCOMING.validate_json(frame)
    except ValidationError as exc:
        raise UnreadablePayloadError("not a frame of this protocol") from exc


# --- to the browser ---------------------------------------------------------------------------


class SessionFrame(Frame):
    type: Literal["session"] = "session"
    session: str
    is_new: bool
    """What the browser held before is not part of this session."""


class AckFrame(Frame):
    """The text is stored: it will be answered even if everything stops now."""

    type: Literal["ack"] = "ack"
    id: str


class MessageFrame(Frame):
    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    type: Literal["message"] = "message"
    id: int
    """The line's number: what `last_seen` names."""
    text: str
    at: AwareDatetime
    author: Author = Field(alias="from")
    client_id: str | None = None


class TypingFrame(Frame):
    """We are writing; good for a few seconds unless it is said again."""

    type: Literal["typing"] = "typing"


class ErrorCode:
    UNREADABLE = "unreadable"
    NO_HELLO = "no_hello"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_PHOTOS = "no_photos"
    TOO_FAST = "too_fast"
    NOT_STORED = "not_stored"
    TOO_MANY_CONNECTIONS = "too_many_connections"


class ErrorFrame(Frame):
    type: Literal["error"] = "error"
    code: str
    id: str | None = None
    """Of the text that it is about."""
    retry: float | None = None
    """Seconds after which the same may be sent again; None: it would fail again."""


class CloseCode:
    """Why we closed the line (RFC 6455 leaves 4000 to 4999 to us)."""

    UNREADABLE = 4400
    FOREIGN_ORIGIN = 4403
    IDLE = 4408
    """Connect again when somebody is there."""
    TOO_MANY = 4429


Outgoing = SessionFrame | AckFrame | MessageFrame | TypingFrame | ErrorFrame
