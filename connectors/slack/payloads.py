"""What Slack sends us, as far as we read it. Unknown fields are ignored: Slack adds some without notice.

Sources: docs.slack.dev, Events API envelope, `reaction_added`, `block_actions` payload, Web API methods.
"""

import json
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connectors.errors import UnreadablePayloadError

ESCALATION_EVENT = "doorline_escalation"
NOTE_EVENT = "doorline_note"
VIEW_EVENT = "doorline_post"


class WireModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Payload = TypeVar("Payload", bound=WireModel)


def _escalation_in(value: str) -> str:
    """The escalation's id in what a button carries: by itself, or inside an object."""
    try:
        return str(UUID(value))
    except ValueError:
        pass
    try:
        carried = json.loads(value)
        return str(UUID(str(carried["escalation_id"]))) if isinstance(carried, dict) else ""
    except (KeyError, ValueError):
        return ""


def read(shape: type[Payload], body: dict[str, Any]) -> Payload:
    """Raises `UnreadablePayloadError`, which names the fields and not what stood in them."""
    try:
        return shape.model_validate(body)
    except ValidationError as exc:
        fields = ", ".join(".".join(str(part) for part in error["loc"]) for error in exc.errors())
        raise UnreadablePayloadError(f"{shape.__name__}: {fields or 'incomplete'}") from exc


# --- events and interactivity ---------------------------------------------------------------------


class Authorization(WireModel):
    """An installation of our app that an event is for; the bot's own user id stands here."""

    user_id: str | None = None
    is_bot: bool = False


class BareEvent(WireModel):
    type: str


class BareAction(WireModel):
    action_id: str


class BareView(WireModel):
    callback_id: str


class Delivery(WireModel):
    """Any signed body, checked just far enough that bolt can route it without falling over."""

    type: str
    event: BareEvent | None = None
    authorizations: list[Authorization] | None = None
    actions: list[BareAction] | None = None
    view: BareView | None = None
    callback_id: str | None = None
    event_id: str | None = None
    challenge: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type == "event_callback" and (self.event is None or not self.event_id):
            raise ValueError("an event_callback needs event and event_id")
        if self.type == "block_actions" and not self.actions:
            raise ValueError("block_actions needs actions")
        if self.type in ("shortcut", "message_action") and not self.callback_id:
            raise ValueError("a shortcut needs callback_id")
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
    item_user: str | None = None
    """Author of what was reacted to; absent where a webhook wrote it."""
    event_ts: str | None = None


class Envelope(WireModel):
    event_id: str = Field(min_length=1)
    authorizations: list[Authorization] | None = None

    @property
    def own_users(self) -> set[str]:
        """The user ids of our own bot."""
        return {a.user_id for a in self.authorizations or [] if a.is_bot and a.user_id}


class ReactionEnvelope(Envelope):
    event: ReactionEvent


class RichElement(WireModel):
    """A rich text block, or anything inside one. Fields by type, see the block's reference page."""

    type: str
    elements: list["RichElement"] = []
    style: Any = None
    """`bullet` or `ordered` of a list; bold and the like of a text."""
    text: str | None = None
    url: str | None = None
    unicode: str | None = None
    range: str | None = None
    fallback: str | None = None


class MessageEvent(WireModel):
    """A `message` event of any subtype. Most say something else than that a person wrote: all is optional."""

    type: str
    subtype: str | None = None
    channel: str | None = None
    user: str | None = None
    bot_id: str | None = None
    text: str | None = None
    ts: str | None = None
    thread_ts: str | None = None
    parent_user_id: str | None = None
    """Who began the thread."""
    blocks: list[dict[str, Any]] | None = None
    files: list[Any] | None = None
    event_ts: str | None = None


class MessageEnvelope(Envelope):
    event: MessageEvent


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


class ChosenOption(WireModel):
    value: str


class InputValue(WireModel):
    """What somebody entered; which field it stands in depends on the input."""

    value: str | None = None
    selected_date: str | None = None
    """`2024-06-11`"""
    selected_time: str | None = None
    """`16:30`"""
    selected_option: ChosenOption | None = None

    @property
    def entered(self) -> str:
        chosen = self.selected_option.value if self.selected_option else None
        return self.value or self.selected_date or self.selected_time or chosen or ""


class ViewState(WireModel):
    values: dict[str, dict[str, InputValue]] = {}


class SubmittedView(WireModel):
    id: str = Field(min_length=1)
    hash: str = ""
    private_metadata: str = ""
    state: ViewState = ViewState()


class ViewSubmission(WireModel):
    """A `view_submission` payload."""

    user: Person
    view: SubmittedView

    def text(self, block_id: str, action_id: str) -> str:
        value = self.view.state.values.get(block_id, {}).get(action_id)
        return value.entered if value else ""


class SlashCommand(WireModel):
    """A slash command: a plain form. `trigger_id` is new for each time that somebody types one."""

    command: str
    text: str = ""
    user_id: str = Field(min_length=1)
    channel_id: str = Field(min_length=1)
    trigger_id: str = Field(min_length=1)


class ShortcutBlock(WireModel):
    """Of a message that a shortcut was used on: only what can tell which escalation it is about."""

    elements: list[dict[str, Any]] = []
    accessory: dict[str, Any] | None = None

    @property
    def values(self) -> list[str]:
        """What its buttons carry."""
        parts = [*self.elements, self.accessory or {}]
        return [part["value"] for part in parts if isinstance(part.get("value"), str)]


class ShortcutMessage(WireModel):
    ts: str = Field(min_length=1)
    thread_ts: str | None = None
    blocks: list[ShortcutBlock] = []


class MessageShortcut(WireModel):
    """A `message_action` payload: a shortcut that somebody used on one message."""

    user: Person
    channel: Place
    message: ShortcutMessage
    trigger_id: str = Field(min_length=1)

    @property
    def escalation_id(self) -> str:
        """Of the escalation whose buttons stand in the message; empty where there are none of that kind."""
        found = (_escalation_in(value) for block in self.message.blocks for value in block.values)
        return next((each for each in found if each), "")


class HomeOpened(WireModel):
    """An `app_home_opened` event; it comes for the messages tab too."""

    type: str
    user: str = Field(min_length=1)
    tab: str = ""


class HomeEnvelope(Envelope):
    event: HomeOpened


class ChosenInHome(WireModel):
    action_id: str
    value: str | None = None
    selected_option: ChosenOption | None = None
    selected_options: list[ChosenOption] | None = None
    action_ts: str | None = None

    @property
    def chosen(self) -> tuple[str, ...]:
        """What stands in the element afterwards."""
        if self.selected_options is not None:
            return tuple(option.value for option in self.selected_options)
        if self.selected_option is not None:
            return (self.selected_option.value,)
        return (self.value,) if self.value else ()


class HomePress(WireModel):
    """A `block_actions` payload of the home: it has neither channel nor message."""

    user: Person
    actions: list[ChosenInHome] = Field(min_length=1)
    trigger_id: str | None = None


class Shortcut(WireModel):
    """A global shortcut: it comes from no channel."""

    user: Person
    trigger_id: str = Field(min_length=1)


# --- what we send along and get back ------------------------------------------------------------------


class ReplyAbout(WireModel):
    """Carried by a Reply button: the words that its window shows."""

    escalation_id: str = Field(min_length=1)
    about: str = ""
    words: str = ""


class ReplyPlace(WireModel):
    """Carried by a Reply window: where it was opened."""

    escalation_id: str = Field(min_length=1)
    channel: str = Field(min_length=1)
    ts: str = Field(min_length=1)


class WindowPlace(WireModel):
    """Carried by a window of an escalation: what it is about, where it was opened, and its page of a long list."""

    escalation_id: str = Field(min_length=1)
    channel: str = Field(min_length=1)
    ts: str = Field(min_length=1)
    timezone: str = "UTC"
    page: int = 0


class CommandPlace(WireModel):
    """Carried by a command's window: where it was opened, the dispatcher's own id where that was nowhere."""

    channel: str = Field(min_length=1)
    escalation_id: str = ""
    message_channel: str = ""
    message_ts: str = ""
    """Of the message that it was opened on."""


class TaskPress(WireModel):
    """Carried by a button of a dispatcher task; `value` is the driver whom it suggests."""

    task_id: UUID
    value: str = ""


# --- answers of the Web API --------------------------------------------------------------------------


class Posted(WireModel):
    channel: str
    ts: str


class PublishedView(WireModel):
    hash: str


class Published(WireModel):
    """The answer of `views.publish`."""

    view: PublishedView


class Metadata(WireModel):
    event_type: str = ""
    event_payload: dict[str, Any] = {}


class NamedFile(WireModel):
    name: str = ""
    """A file that was deleted has none."""


class Message(WireModel):
    ts: str
    metadata: Metadata = Metadata()
    files: list[NamedFile] = []


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
    url: str = ""
    """Of the workspace: `https://acme.slack.com/`."""
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
