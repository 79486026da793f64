"""Escalations in the dispatchers' workspace: what one message shows, what dispatchers do, what its thread tells."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import AwareDatetime

from connectors.base import DeliveryWindow, FailureReason, Record, StopStatus


class Severity(StrEnum):
    AT_RISK = "at_risk"
    BREACHED = "breached"
    FAILED = "failed"
    RECIPIENT_WAITING = "recipient_waiting"
    PLATFORM_SILENT = "platform_silent"
    NOBODY_ON_CALL = "nobody_on_call"


class EscalationState(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Waiting(StrEnum):
    """Who writes where a person waits for a dispatcher."""

    RECIPIENT = "recipient"
    DRIVER = "driver"
    CLIENT = "client"


class EscalationLine(Record):
    """One stop inside an escalation, as a dispatcher reads it."""

    stop_id: str
    tracking: str
    client: str
    address_line: str
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None
    eta_age: timedelta | None = None
    """How old the ETA is; None when it is unknown or fresh enough not to matter."""
    status: StopStatus
    person_name: str = ""
    """Of the recipient, or of the driver or the client who waits."""
    person_phone: str | None = None
    """Only where a dispatcher has to write or call: on `recipient_waiting`."""
    last_words: str = ""
    """The recipient's last message, access codes masked."""
    last_words_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None


class EscalationView(Record):
    """Everything that one Slack message shows. `connectors/slack/blocks.py` puts it into words."""

    escalation_id: str
    severity: Severity
    state: EscalationState
    zone: str
    client: str
    timezone: str
    why: str
    """One sentence from `sla.assess`: `ETA 4:25 pm, window ends 4:00 pm`."""
    driver_name: str = ""
    driver_behind: str = ""
    """What is known of the driver: `3 stops behind plan`; may be empty."""
    lines: tuple[EscalationLine, ...]
    exposure_usd: int = 0
    """Penalties at stake in whole US dollars; 0 is not shown."""
    acknowledged_by: str | None = None
    """Slack user id."""
    acknowledged_until: AwareDatetime | None = None
    resolved_by: str | None = None
    """Slack user id; None while open or when it resolved by itself."""
    outcome: str = ""
    """How it ended, one short sentence."""
    next_step: str = ""
    """`mentions <!subteam^S1>` and the like; empty when nothing is pending."""
    next_step_at: AwareDatetime | None = None
    tracking_url: str | None = None
    can_reply: bool = False
    """A person waits on the other side: the Reply button opens a modal that writes to them."""
    waiting: Waiting = Waiting.RECIPIENT
    """Who that is."""
    decision: str = ""
    """What somebody asks a dispatcher to approve or decline, one sentence; empty when nothing is to decide."""
    snoozed_until: AwareDatetime | None = None
    snoozed_by: str | None = None
    root_cause: FailureReason | None = None
    """Why it was late, once somebody said."""
    exclusion: str = ""
    """Code of why it does not count against the target."""
    is_noise: bool = False
    on_call: str = ""
    """Name of who is on call for it now; empty when nobody is, or nobody is named in sop.yml."""
    more_stops: int = 0
    """Stops beyond `lines`: a storm's list is paged."""
    names: Mapping[str, str] = {}
    """Of dispatchers that are no Slack users: `person:KEY` to name."""
    board_url: str = ""
    delayed_since: AwareDatetime | None = None
    """Slack did not take the newest state for so long; told with it."""
    driver_texted_at: AwareDatetime | None = None
    """When the driver answered what dispatchers asked by text."""
    driver_asked_at: AwareDatetime | None = None
    """When the driver was asked; told until there is an answer."""
    driver_minutes: int | None = None
    """How many minutes the driver says it takes longer."""
    has_driver: bool = False
    """Somebody drives its stops who can be asked."""
    causes_asked: tuple[FailureReason, ...] = ()
    """It ended late and nobody has said why: the usual causes, one tap away."""
    moved_to: str = ""
    """It stands in another channel now, under this zone's name: this message is but a pointer."""


class PostedMessage(Record):
    """Where a message stands in the dispatchers' workspace."""

    channel: str
    ts: str


class DispatcherVerb(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    WITHDRAW = "withdraw"
    RESOLVE = "resolve"
    REPLY = "reply"
    """Words for the recipient, from the Reply modal or a thread message that begins with `>>`."""
    APPROVE = "approve"
    DECLINE = "decline"
    SNOOZE = "snooze"
    """Fields: `until` (ISO instant) or `before_window_minutes`."""
    REASSIGN = "reassign"
    """Fields: `driver` (reference), `stop_ids` (comma separated; empty: all), `note`."""
    CONTACT_DRIVER = "contact_driver"
    """Fields: `words` (may be empty: the usual question)."""
    TELL_RECIPIENTS = "tell_recipients"
    """Fields: `message` (a response's code, or `own`), `words` (of `own`), `stop_ids`."""
    MOVE_WINDOW = "move_window"
    """Fields: `stop_id`, `date`, `start`, `end`, `reason`."""
    HAND_OVER = "hand_over"
    """Fields: `zone`, `note`: another zone's dispatchers have it from now on."""
    MERGE = "merge"
    """Fields: `into` (an escalation's id)."""
    MARK_NOISE = "mark_noise"
    """It should not have been raised: over, and counted."""
    NAME_CAUSE = "name_cause"
    """Fields: `root_cause`: why it was late, said also after it is over."""


class DispatcherAction(Record):
    """A reaction, a button, a text or a pressed key, reduced to what a dispatcher meant by it.

    `dispatcher` is a Slack user id, or `person:KEY` for somebody of `people` in sop.yml who has none. `channel` and
    `message_ts` are empty where it did not come from Slack.
    """

    vendor_id: str
    """Slack's event id, or for buttons the action's own identity; unique per gesture, same on retries."""
    verb: DispatcherVerb
    dispatcher: str
    channel: str
    message_ts: str
    escalation_id: str | None = None
    """Carried by buttons; reactions are found by channel and ts."""
    words: str = ""
    """Of a reply: what goes to the recipient, as plain text, Slack's escapes and links undone."""
    fields: Mapping[str, str] = {}
    """What a window's inputs held, as `DispatcherVerb` names them. Of a resolve: `root_cause`, `exclusion`, `note`,
    all of which may be missing."""
    gesture: str
    """`reaction:eyes`, `button:acknowledge`, `modal:reply`, `thread:reply`, `sms:1`, `call:1`: for the audit log."""
    response_url: str | None = None
    occurred_at: AwareDatetime


class Happening(StrEnum):
    """What a line of an escalation's history tells. `connectors/slack/blocks.py` puts it into words."""

    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    RAN_OUT = "ran_out"
    RESOLVED = "resolved"
    STEP_FIRED = "step_fired"
    BREACHED = "breached"
    ETA_CHANGED = "eta_changed"
    STOP_JOINED = "stop_joined"
    STOP_LEFT = "stop_left"
    DELIVERED = "delivered"
    FAILED = "failed"
    RECIPIENT_WROTE = "recipient_wrote"
    TRANSCRIPT = "transcript"
    """The conversation so far, several lines."""
    REPLIED = "replied"
    """`dispatcher` wrote `words` to the recipient."""
    REPLY_NOT_SENT = "reply_not_sent"
    """`words` say why: `opted_out`, `undeliverable`."""
    APPROVED = "approved"
    NOT_CARRIED_OUT = "not_carried_out"
    """`dispatcher` approved it, the platform did not do it, `words` say why: it is still to be decided."""
    DECLINED = "declined"
    TOLD_STILL_WAITING = "told_still_waiting"
    """Nobody took it in time and the recipient was told so."""
    SNOOZED = "snoozed"
    """By `dispatcher` until `until`."""
    SNOOZE_OVER = "snooze_over"
    REASSIGNED = "reassigned"
    """`words` is the new driver's name."""
    DRIVER_ASKED = "driver_asked"
    """`words` is what the driver was texted."""
    DRIVER_ANSWERED = "driver_answered"
    """`words` is what the driver wrote, `root_cause` and `minutes` what it says, where it says so."""
    DRIVER_WROTE = "driver_wrote"
    """The same, where nobody had asked."""
    DRIVER_REPORTED = "driver_reported"
    """A delivery failed, by the driver's text: `words`, and `root_cause` where they say why."""
    DRIVER_UNREACHABLE = "driver_unreachable"
    """`words` says why: `no_phone`, `opted_out`, `undeliverable`."""
    RECIPIENT_TOLD = "recipient_told"
    WINDOW_MOVED = "window_moved"
    """`window` is the new one."""
    HANDED_OVER = "handed_over"
    """`words` is the zone."""
    MERGED = "merged"
    """Into, or from, another escalation; `words` is its first line."""
    NOISE = "noise"
    TEXTED = "texted"
    """`person` was sent a text about it."""
    CALLED = "called"
    """`person` was called by phone."""
    CALL_OVER = "call_over"
    """`words` says how the call ended: `acknowledged`, `no_answer`, `busy`, `failed`, `hung_up`, `voicemail`,
    `stopped`."""
    PAGE_FAILED = "page_failed"
    """`person` could not be reached; `words` says why: `no_phone`, `undeliverable`, `refused`."""
    NOBODY_ON_CALL = "nobody_on_call"
    STEP_DEFERRED = "step_deferred"
    """The next step waits for its hours: `until`."""
    STARTED_AGAIN = "started_again"
    """The steps were repeated; `words` is `2 of 3`."""
    DELAYED = "delayed"
    """Slack took it late; `until` is when it happened."""
    NOT_DONE = "not_done"
    """What `dispatcher` asked for was refused by the platform; `words` is its code."""
    NOTED = "noted"
    """`words` is what `dispatcher` wrote with a deed, for colleagues."""
    CAUSE_NAMED = "cause_named"
    """`dispatcher` said why it was late: `root_cause`; `words` is the exclusion's code, where it does not count."""
    PHOTO_CAME = "photo_came"
    """`words` is the link under which dispatchers see it."""


class HappeningFacts(Record):
    """What a line of history may need; each kind reads what it needs and does without the rest."""

    timezone: str = "UTC"
    dispatcher: str | None = None
    """Slack user id."""
    until: AwareDatetime | None = None
    address_line: str = ""
    eta_at: AwareDatetime | None = None
    earlier_eta_at: AwareDatetime | None = None
    window: DeliveryWindow | None = None
    completed_at: AwareDatetime | None = None
    stops: int = 0
    """How many stops it is about, where it is about several."""
    message: str = ""
    """Of what recipients were told: its code, as in `TELL_RECIPIENTS`."""
    person: str = ""
    """Name of somebody who was called."""
    root_cause: FailureReason | None = None
    minutes: int | None = None
    words: str = ""
    """A step of the protocol, an outcome, a reason, or what the recipient wrote, by kind."""


class Refusal(StrEnum):
    """Why a dispatcher's gesture changed nothing."""

    ALREADY_HELD = "already_held"
    RESOLVED = "resolved"
    NOT_A_DISPATCHER = "not_a_dispatcher"
    NOT_YOURS = "not_yours"
    NOTHING_TO_WITHDRAW = "nothing_to_withdraw"
    NOTHING_TO_DECIDE = "nothing_to_decide"
    ALREADY_DECIDED = "already_decided"
    NOBODY_TO_REPLY_TO = "nobody_to_reply_to"
    OPTED_OUT = "opted_out"
    REACTION_NOT_ENOUGH = "reaction_not_enough"
    """At this stage a reaction does not take it: press the button, or answer the text or the call."""
    NOT_POSSIBLE = "not_possible"
    """The escalation is not about what was asked for: no driver, no stop, no recipient."""


class DispatchDesk(Protocol):
    """The dispatchers' workspace: one message per escalation, edited in place, history in its thread.

    Every method raises `ChannelUnavailableError` (not done, try later), `OutcomeUnknownError` (perhaps done)
    or `ChannelMisconfiguredError`.
    """

    async def post(self, channel: str, view: EscalationView) -> PostedMessage: ...

    async def update(self, message: PostedMessage, view: EscalationView) -> None: ...

    async def post_in_thread(
        self, message: PostedMessage, text: str, note_id: str, mention: str = ""
    ) -> None:
        """Adds one line to the thread; `note_id` travels in the metadata so that it is not posted twice."""
        ...

    async def find_posted(self, channel: str, escalation_id: str, since: datetime) -> PostedMessage | None:
        """The message that carries this escalation's id in its metadata, if an earlier attempt got through."""
        ...

    async def find_in_thread(self, message: PostedMessage, note_id: str) -> bool: ...

    async def tell_quietly(self, channel: str, dispatcher: str, text: str) -> None:
        """A message that only this dispatcher sees. May be lost."""
        ...


ReceiveDispatcherAction = Callable[[DispatcherAction], Awaitable[None]]
"""Store, then return; raise `StorageUnavailableError` when nothing could be stored."""
