"""What reaches us from the world of mail, as far as we read it: a mail, its envelope, and Mailgun's form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import ConnectorError, UnreadablePayloadError

MAX_BYTES = 25 * 1024 * 1024
"""The largest mail. Gmail and Outlook send no larger one."""

MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024


class MailLoopError(ConnectorError):
    """The mail is our own, come back: whoever sent it must stop. Answered with 554."""


@dataclass(frozen=True)
class Envelope:
    """What the sending server said before the mail itself."""

    sender: str | None = None
    """Return path in lower case; empty for `<>`, None when the edge was not told."""
    recipients: tuple[str, ...] = ()
    is_authentic: bool | None = None
    """What a trusted edge found out about the sender, when it does not say so in a header."""


@dataclass(frozen=True)
class EmailAttachment:
    filename: str
    content_type: str
    """As the mail says; nobody has looked at the bytes."""
    content: bytes
    is_inline: bool = False
    """Shown within the text, so perhaps a logo or a tracking pixel."""


@dataclass(frozen=True)
class Mail:
    """One mail, decoded. Ids are without angle brackets."""

    sender: str
    """Lower-cased address of From; empty when From does not name exactly one."""
    message_id: str
    subject: str
    date: str
    """As written, for telling mails without a Message-ID apart."""
    in_reply_to: str
    references: tuple[str, ...]
    text: str
    html: str
    content_type: str
    report_type: str
    """Of a multipart/report: `delivery-status`, `disposition-notification`, `feedback-report`."""
    attachments: tuple[EmailAttachment, ...]
    envelope: Envelope
    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Every header by lower-cased name, decoded, in the order in which it stands in the mail."""
    is_stripped: bool = False
    """The provider has taken quoted history and signature out of `text` already."""

    def header(self, name: str) -> str:
        """The first one, which the last server wrote; empty when there is none."""
        return self.headers.get(name, ("",))[0]

    @property
    def return_path(self) -> str | None:
        """Empty for `<>`; None where nobody tells."""
        if self.envelope.sender is not None:
            return self.envelope.sender
        return (
            self.header("return-path").strip().strip("<>").lower() if "return-path" in self.headers else None
        )


def _storable(text: str) -> str:
    """PostgreSQL cannot keep a NUL in a text; nobody types one."""
    return text.replace("\x00", "")


Storable = Annotated[str, AfterValidator(_storable)]


def _pairs(value: Any) -> Any:
    """Mailgun sends headers as a string that holds JSON."""
    return json.loads(value) if isinstance(value, str) else value


class MailgunSignature(BaseModel):
    """Source: messaging-contracts C, Mailgun route."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    timestamp: int = Field(ge=0, le=10**12)
    token: str = Field(min_length=1, max_length=128)
    signature: str = Field(pattern=r"^[0-9a-fA-F]{64}$")


class MailgunForm(BaseModel):
    """A route's `forward()`: raw MIME where its URL ends in `mime`, else fields. Source: messaging-contracts C."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    sender: Storable | None = None
    """The envelope's; empty for `<>`."""
    recipient: Storable = ""
    subject: Storable = ""
    author: Storable = Field(default="", alias="from")
    body_mime: str | None = Field(default=None, alias="body-mime")
    body_plain: Storable = Field(default="", alias="body-plain")
    body_html: Storable = Field(default="", alias="body-html")
    stripped_text: Storable = Field(default="", alias="stripped-text")
    message_headers: list[tuple[str, Storable]] = Field(default_factory=list, alias="message-headers")

    @classmethod
    def read(cls, fields: Mapping[str, object]) -> Self:
        """Raises `UnreadablePayloadError` naming the fields that are wrong, never their values."""
        try:
            headers = _pairs(fields.get("message-headers") or [])
            return cls.model_validate({**fields, "message-headers": headers})
        except ValidationError as exc:
            wrong = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
            raise UnreadablePayloadError("; ".join(wrong)) from None
        except (ValueError, RecursionError):
            raise UnreadablePayloadError("message-headers is not JSON") from None
