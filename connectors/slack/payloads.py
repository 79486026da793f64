"""What Slack sends us, as far as we read it. Unknown fields are ignored: Slack adds some without notice.

Sources: docs.slack.dev, Events API envelope, `reaction_added`, `block_actions` payload, Web API methods.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ESCALATION_EVENT = "doorline_escalation"
NOTE_EVENT = "doorline_note"


class WireModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


# --- events and interactivity ---------------------------------------------------------------------


class Authorization(WireModel):
    """An installation of our app that an event is for; the bot's own user id stands here."""

    user_id: str | None = None
    is_bot: bool = False


class BareEvent(WireModel):
    type: str


class Delivery(WireModel):
    """Any signed body, checked just far enough that bolt can route it without falling over."""

    type: str
    event: BareEvent | None = None
    authorizations: list[Authorization] | None = None
    actions: list[dict[str, Any]] | None = None
    view: dict[str, Any] | None = None
    event_id: str | None = None
    challenge: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type == "event_callback" and (self.event is None or not self.event_id):
            raise ValueError("an event_callback needs event and event_id")
        if self.type == "block_actions" and not self.actions:
            raise ValueError("block_actions needs actions")
        if self.type == "url_verification" and self.challenge is None:
            raise ValueError("url_verification needs challenge")
        return self


class Item(WireModel):
    """What was reacted to; a file or a file comment has no `channel` and `ts`."""

    type: str
    channel: str | None = None
    ts: str | None = None


class ReactionEvent(WireModel):
    type: str
    user: str
    reaction: str
    item: Item
    event_ts: str | None = None


class ReactionEnvelope(WireModel):
    event_id: str = Field(min_length=1)
    event: ReactionEvent
    authorizations: list[Authorization] = []


class Person(WireModel):
    id: str


class Place(WireModel):
    id: str


class Container(WireModel):
    type: str = ""
    message_ts: str | None = None
    channel_id: str | None = None


class PressedButton(WireModel):
    action_id: str
    value: str | None = None
    action_ts: str | None = None


class ButtonPress(WireModel):
    """A `block_actions` payload."""

    user: Person
    channel: Place | None = None
    container: Container = Container()
    actions: list[PressedButton] = Field(min_length=1)
    response_url: str | None = None
    trigger_id: str | None = None


# --- answers of the Web API --------------------------------------------------------------------------


class Posted(WireModel):
    channel: str
    ts: str


class Metadata(WireModel):
    event_type: str = ""
    event_payload: dict[str, Any] = {}


class Message(WireModel):
    ts: str
    metadata: Metadata = Metadata()


class Paging(WireModel):
    next_cursor: str = ""


class Messages(WireModel):
    """A page of `conversations.history` or `conversations.replies`."""

    messages: list[Message]
    response_metadata: Paging | None = None


class NamedChannel(WireModel):
    id: str
    name: str = ""


class ChannelsPage(WireModel):
    channels: list[NamedChannel]
    response_metadata: Paging | None = None


class Identity(WireModel):
    """`auth.test`: who we are in which workspace."""

    user_id: str
    user: str
    team: str
    team_id: str
    bot_id: str | None = None


class Profile(WireModel):
    display_name: str = ""
    real_name: str = ""


class SlackUser(WireModel):
    id: str
    name: str = ""
    profile: Profile = Profile()


class UserAnswer(WireModel):
    user: SlackUser
