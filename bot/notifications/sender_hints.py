"""What to know, and to do, about the number that texts leave from. For `doorline doctor`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.audit import AuditLine
from bot.durable.models import OutboundText
from bot.durable.outbox_ports import QUEUE_FULL, SENDER_BUSY
from bot.notifications.carrier_codes import FILTERED
from bot.notifications.rates import segments_per_second
from bot.sop import Protocol
from bot.sop_notifications import NumberType
from bot.stops.models import OPEN_STATUSES, StopRecord
from connectors.base import ChannelName

LOOKS_BACK = timedelta(days=1)
TOLL_FREE_CODES = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
CAMPAIGN_TYPES = (NumberType.LOW_VOLUME_10DLC, NumberType.STANDARD_10DLC)
BROKEN = {
    "30002": "the account is suspended",
    "30032": "the toll-free number is not verified: do so in Twilio's console",
    "30034": "the number is in no A2P 10DLC campaign: register brand and campaign, and add the number to it",
    "30035": "the number's A2P 10DLC campaign is not active yet: carriers take nothing until it is",
}
"""Codes after which hardly anything arrives. Source: messaging-contracts A6, A9."""
SLOWED = {
    "30001": "its queue overflowed",
    "30036": "its queue was longer than messages are useful",
    QUEUE_FULL: "its queue was full",
    "30022": "it sent faster than its 10DLC campaign may",
    "30023": "its 10DLC campaign reached the day's limit",
    "30027": "it reached T-Mobile's limit of the day",
}
SLOW_BURST = timedelta(minutes=30)
"""One text to everybody on the day that takes longer than this deserves a faster sender."""


@dataclass(frozen=True)
class SenderFacts:
    sender: str
    """A number, or the sid of a messaging service."""
    number_type: NumberType
    per_second: float
    alert_percent: int
    texts: int = 0
    """Of the last day, as the next."""
    codes: Mapping[str, int] = field(default_factory=dict)
    stops: int = 0
    """Open, with a window within the next day."""


async def sender_facts(session: AsyncSession, protocol: Protocol, sender: str, now: datetime) -> SenderFacts:
    messaging, since = protocol.messaging, now - LOOKS_BACK
    counted = await session.execute(
        select(col(OutboundText.error_code), func.count())
        .where(col(OutboundText.sent_at) > since, col(OutboundText.channel) == ChannelName.SMS)
        .group_by(col(OutboundText.error_code))
    )
    counts = {code: int(count) for code, count in counted}
    full = await session.scalar(
        select(func.count())
        .select_from(AuditLine)
        .where(col(AuditLine.at) > since, col(AuditLine.verb) == SENDER_BUSY)
    )
    stops = await session.scalar(
        select(func.count())
        .select_from(StopRecord)
        .where(
            col(StopRecord.status).in_(OPEN_STATUSES),
            col(StopRecord.window_end_at) > now,
            col(StopRecord.window_end_at) <= now + LOOKS_BACK,
        )
    )
    codes = {code: count for code, count in counts.items() if code} | ({QUEUE_FULL: full} if full else {})
    return SenderFacts(
        sender,
        messaging.number_type,
        segments_per_second(messaging),
        messaging.filtered_alert_percent,
        sum(counts.values()),
        codes,
        int(stops or 0),
    )


def what_is_broken(facts: SenderFacts) -> list[str]:
    """What keeps texts from arriving, and what to do. Pure."""
    found = [
        f"{facts.codes[code]} failed with {code}: {why}"
        for code, why in BROKEN.items()
        if code in facts.codes
    ]
    filtered = facts.codes.get(FILTERED, 0)
    if filtered * 100 > facts.texts * facts.alert_percent:
        found.append(
            f"carriers filtered {filtered} of {facts.texts} (30007): look at the words, the links and the campaign"
        )
    return found


def hints(facts: SenderFacts) -> list[str]:
    """What is as it should be, or could be better. Pure."""
    busy = [
        f"{why} ({code}, {facts.codes[code]} times)" for code, why in SLOWED.items() if code in facts.codes
    ]
    return [_pace(facts), *busy, *_kind_hints(facts)]


def _pace(facts: SenderFacts) -> str:
    seconds = facts.stops / facts.per_second
    pace = f"{facts.per_second:g} segments/s ({facts.number_type.value})"
    if not facts.stops:
        return pace
    burst = f"one text to each of {facts.stops:,} stops takes {_duration(seconds)}"
    is_slow = seconds > SLOW_BURST.total_seconds()
    return f"{pace}, {burst}" + (": a faster number type would help" if is_slow else "")


def _kind_hints(facts: SenderFacts) -> list[str]:
    """Does `number_type` fit the number, and what does the type ask for?"""
    is_service, is_toll_free = facts.sender.startswith("MG"), facts.sender.startswith(TOLL_FREE_CODES)
    if is_toll_free and facts.number_type is not NumberType.TOLL_FREE:
        return ["it is a toll-free number: set messaging.number_type to toll_free"]
    if facts.number_type is NumberType.TOLL_FREE:
        is_other = not is_toll_free and not is_service
        return ["it is no toll-free number: correct messaging.number_type"] if is_other else []
    if facts.number_type is NumberType.LONG_CODE and facts.sender.startswith("+1"):
        return ["US carriers take texts from a long code only within an A2P 10DLC campaign (30034 otherwise)"]
    if facts.number_type in CAMPAIGN_TYPES:
        return ["its A2P 10DLC campaign must be active"]
    return []


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(seconds, 1):.0f} s"
