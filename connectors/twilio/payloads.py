"""What Twilio puts on the wire, as far as we read it: webhook forms, the Message and the Call resource.

Twilio adds parameters without notice: what is unknown is ignored here, and kept in the signature check.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.base import Media
from connectors.errors import UnreadablePayloadError

MAX_BODY_CHARACTERS = 6400
"""Four times the longest SMS that Twilio takes; WhatsApp allows 4,096. Nobody types more than this."""

MAX_MEDIA = 10

MessageSid = Annotated[str, Field(pattern=r"^(SM|MM)[0-9a-fA-F]{32}$")]
CallSid = Annotated[str, Field(pattern=r"^CA[0-9a-fA-F]{32}$")]
PersonAddress = Annotated[str, Field(pattern=r"^(whatsapp:)?\+?[0-9]{3,15}$")]
"""A number, a short code, or a WhatsApp number. Other channels are refused: we could not answer there."""


def _storable(text: str) -> str:
    """PostgreSQL cannot keep a NUL in a text; nobody types one."""
    return text.replace("\x00", "")


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def read(cls, fields: Mapping[str, object]) -> Self:
        """Raises `UnreadablePayloadError` naming the fields that are wrong, never their values."""
        try:
            return cls.model_validate(fields)
        except ValidationError as exc:
            wrong = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
            raise UnreadablePayloadError("; ".join(wrong)) from None


class InboundForm(_Form):
    """A text that reached one of our numbers. Source: messaging-contracts A1."""

    message_sid: MessageSid = Field(alias="MessageSid")
    sender: PersonAddress = Field(alias="From")
    recipient: PersonAddress = Field(alias="To")
    text: Annotated[str, AfterValidator(_storable)] = Field(
        default="", alias="Body", max_length=MAX_BODY_CHARACTERS
    )
    num_media: int = Field(default=0, alias="NumMedia", ge=0, le=MAX_MEDIA)
    media: tuple[Media, ...] = ()
    opt_out_type: str | None = Field(default=None, alias="OptOutType")

    @classmethod
    def read(cls, fields: Mapping[str, object]) -> Self:
        form = super().read({name: value for name, value in fields.items() if name != "media"})
        return form.model_copy(update={"media": tuple(_media(fields, form.num_media))})


def _media(fields: Mapping[str, object], count: int) -> list[Media]:
    media = []
    for index in range(count):
        url = fields.get(f"MediaUrl{index}")
        if not url:
            raise UnreadablePayloadError(f"NumMedia is {count} but MediaUrl{index} is missing")
        content_type = fields.get(f"MediaContentType{index}") or "application/octet-stream"
        media.append(Media(url=str(url), content_type=str(content_type)))
    return media


class StatusForm(_Form):
    """News of a message that we sent. Source: messaging-contracts A5."""

    message_sid: MessageSid = Field(alias="MessageSid")
    status: str = Field(alias="MessageStatus", min_length=1, max_length=40)
    error_code: str = Field(default="", alias="ErrorCode", pattern=r"^[0-9]{0,6}$")


class MessageResource(BaseModel):
    """The Message resource, read from the SDK's instance. Source: specs/twilio-messages.openapi.json."""

    model_config = ConfigDict(frozen=True, from_attributes=True, hide_input_in_errors=True)

    sid: MessageSid
    status: str
    direction: str = ""
    body: str | None = None
    sender: str | None = Field(default=None, validation_alias="from_")
    recipient: str | None = Field(default=None, validation_alias="to")
    messaging_service_sid: str | None = None
    num_media: int = 0
    error_code: int | None = None
    date_created: datetime | None = None
    date_sent: datetime | None = None

    @classmethod
    def read(cls, instance: Any) -> Self:
        """Raises `ValidationError` when the answer was JSON but no message."""
        return cls.model_validate(instance)


class CallTurnForm(_Form):
    """A call asks for its next TwiML. Source: twilio.com/docs/voice/twiml, and /gather for `Digits`."""

    call_sid: CallSid = Field(alias="CallSid")
    digits: str = Field(default="", alias="Digits", max_length=40)
    answered_by: str = Field(default="", alias="AnsweredBy", max_length=40)


class CallStatusForm(_Form):
    """News of a call that we placed. Source: twilio.com/docs/voice/api/call-resource, StatusCallback."""

    call_sid: CallSid = Field(alias="CallSid")
    status: str = Field(alias="CallStatus", min_length=1, max_length=40)
    answered_by: str = Field(default="", alias="AnsweredBy", max_length=40)


class CallResource(BaseModel):
    """The Call resource, read from the SDK's instance."""

    model_config = ConfigDict(frozen=True, from_attributes=True, hide_input_in_errors=True)

    sid: CallSid
    status: str
    direction: str = ""
    sender: str | None = Field(default=None, validation_alias="_from")
    recipient: str | None = Field(default=None, validation_alias="to")
    answered_by: str | None = None
    date_created: datetime | None = None

    @classmethod
    def read(cls, instance: Any) -> Self:
        """Raises `ValidationError` when the answer was JSON but no call."""
        return cls.model_validate(instance)
