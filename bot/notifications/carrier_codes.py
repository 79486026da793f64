"""What a carrier's code means for what comes next. Data: Twilio warns that the code for a cause may change.

Source: messaging-contracts A6 (Twilio's error dictionary; the actions are ours), RFC 3463 for mail.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.durable.outbox_ports import OPTED_OUT, OPTED_OUT_CODE, OUTDATED


class Next(StrEnum):
    """What becomes of a notification whose text did not arrive."""

    OTHER_CHANNEL = "other_channel"
    SAME_AGAIN = "same_again"
    """Once more by the same channel, later, where it is still useful; then the next channel."""
    NOTHING = "nothing"
    """Nobody is written to: the person has left, or it is not true any more."""


@dataclass(frozen=True)
class Meaning:
    then: Next
    why: str
    """Ours, for dispatchers and figures: `unreachable`, `landline`, `filtered`."""
    unusable_after: int | None = None
    """So many of them in a row say that the address takes no messages at all; None: it says nothing of the address."""


FILTERED = "30007"
SENDER_CODES = frozenset({"30034", "30035", "30032", "30001", "21611", "30022", "30023", "30027", "30002"})
"""What is wrong with our sender or its queue, not with the person."""

MEANINGS = {
    # Our own.
    OUTDATED: Meaning(Next.NOTHING, "outdated"),
    OPTED_OUT: Meaning(Next.OTHER_CHANNEL, "opted_out"),
    "channel_off": Meaning(Next.OTHER_CHANNEL, "channel_off"),
    # Refused when we handed it over.
    "21211": Meaning(Next.OTHER_CHANNEL, "bad_number", unusable_after=1),
    "21604": Meaning(Next.OTHER_CHANNEL, "bad_number", unusable_after=1),
    OPTED_OUT_CODE: Meaning(Next.OTHER_CHANNEL, "opted_out"),
    "21612": Meaning(Next.OTHER_CHANNEL, "unreachable", unusable_after=2),
    "21614": Meaning(Next.OTHER_CHANNEL, "landline", unusable_after=1),
    "21635": Meaning(Next.OTHER_CHANNEL, "landline", unusable_after=1),
    # Told afterwards.
    # The sender's queue is full; older texts use it for what 30036 says.
    "30001": Meaning(Next.SAME_AGAIN, "congestion"),
    "30002": Meaning(Next.OTHER_CHANNEL, "sender"),
    "30003": Meaning(Next.SAME_AGAIN, "unreachable"),
    # A STOP to a toll-free number lands here too: never the same number again for this.
    "30004": Meaning(Next.OTHER_CHANNEL, "blocked"),
    "30005": Meaning(Next.OTHER_CHANNEL, "unknown_number", unusable_after=2),
    "30006": Meaning(Next.OTHER_CHANNEL, "landline", unusable_after=1),
    # The validity that we gave it is over. Source: twilio.com/docs/api/errors/30036.
    "30036": Meaning(Next.SAME_AGAIN, "congestion"),
    FILTERED: Meaning(Next.OTHER_CHANNEL, "filtered"),
    "30008": Meaning(Next.SAME_AGAIN, "unreachable"),
    "30017": Meaning(Next.SAME_AGAIN, "congestion"),
    "30410": Meaning(Next.SAME_AGAIN, "congestion"),
    "30022": Meaning(Next.SAME_AGAIN, "sender"),
    "30023": Meaning(Next.OTHER_CHANNEL, "sender"),
    "30027": Meaning(Next.OTHER_CHANNEL, "sender"),
    "30032": Meaning(Next.OTHER_CHANNEL, "sender"),
    "30034": Meaning(Next.OTHER_CHANNEL, "sender"),
    "30035": Meaning(Next.OTHER_CHANNEL, "sender"),
    "30450": Meaning(Next.OTHER_CHANNEL, "sender"),
    "63016": Meaning(Next.OTHER_CHANNEL, "outside_window"),
    "63018": Meaning(Next.SAME_AGAIN, "congestion"),
    "63024": Meaning(Next.OTHER_CHANNEL, "unknown_number", unusable_after=1),
    "63033": Meaning(Next.OTHER_CHANNEL, "blocked"),
    # Mail: no such mailbox, no such domain. Source: RFC 3463, 3.2.
    "5.1.1": Meaning(Next.OTHER_CHANNEL, "no_mailbox", unusable_after=1),
    "5.1.2": Meaning(Next.OTHER_CHANNEL, "no_mailbox", unusable_after=2),
    "5.1.10": Meaning(Next.OTHER_CHANNEL, "no_mailbox", unusable_after=1),
}
UNKNOWN = Meaning(Next.OTHER_CHANNEL, "unknown")
"""The default: it did not arrive, so the next channel is tried; nothing is concluded about the address."""


def meaning_of(code: str | None) -> Meaning:
    return MEANINGS.get(code or "", UNKNOWN)
