"""Pure: what was written to and by the recipient, with receipts, as lines of the timeline."""

from collections.abc import Iterator

from bot.conversations.models import InboundText
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.incidents.entries import Entry, Source, local_clock
from bot.incidents.evidence import Evidence
from bot.incidents.naming import Names, private
from connectors.base import ChannelName

_ON = {
    ChannelName.SMS: "by text",
    ChannelName.WHATSAPP: "on WhatsApp",
    ChannelName.WEBCHAT: "in the web chat",
    ChannelName.EMAIL: "by email",
}
_WHAT = {
    Purpose.ANSWER: "Answered",
    Purpose.ANSWER_AGAIN: "Answered once more",
    Purpose.HOLDING: "Asked for a moment",
    Purpose.CONSENT: "Confirmed the opt-out or opt-in",
    Purpose.NOTICE: "Told the recipient",
    Purpose.PERSON: "Wrote to the recipient",
    Purpose.PROACTIVE: "Told the recipient unasked",
}


def told_messages(evidence: Evidence, names: Names) -> Iterator[Entry]:
    """Nothing for a client whose recipient awaits another client's parcel too: it may be about that."""
    if names.for_client and evidence.recipient_is_shared:
        return
    for received in evidence.received:
        yield _received(received)
    for sent in evidence.sent:
        if sent.stop_id is not None and sent.stop_id != evidence.incident.stop_id:
            continue  # it is about another stop of theirs
        yield _sent(sent, evidence.incident.timezone)


def _received(row: InboundText) -> Entry:
    pictures = len(row.media)
    sent = f", with {pictures} picture{'s' if pictures > 1 else ''}" if pictures else ""
    what = f"Wrote {_on(row.channel)}{sent}"
    return Entry(
        row.received_at, "Recipient", what, Source.MESSAGE, (0, str(row.id)), words=private(row.text)
    )


def _sent(row: OutboundText, timezone: str) -> Entry:
    who = "Dispatcher" if row.purpose is Purpose.PERSON else "Doorline"
    return Entry(
        row.sent_at or row.created_at,
        who,
        f"{_WHAT.get(row.purpose, 'Wrote')} {_on(row.channel)}",
        Source.MESSAGE,
        (1, str(row.id)),
        words=private(row.text),
        receipt=_receipt(row, timezone),
    )


def _receipt(row: OutboundText, timezone: str) -> str:
    if row.state in (OutboxState.QUEUED, OutboxState.SENDING):
        return "not sent yet"
    code = f", code {row.error_code}" if row.error_code else ""
    at = f" {local_clock(row.finished_at, timezone)}" if row.finished_at is not None else ""
    return f"{row.state.value}{at}{code}"


def _on(channel: ChannelName) -> str:
    return _ON.get(channel, f"on {channel.value}")
