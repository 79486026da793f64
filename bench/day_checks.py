"""What must never happen to a recipient on a pretended day, checked on the emulators' own records. Pure.

Not one of these looks at what Doorline thinks that it did: texts as Twilio took them, stops as the platform closed
them, opt-outs as people sent them.

- `twice`: the same body to the same number within a day, with no text from them in between; or one of the kinds that
  happen once (`ONCE`) twice for the same stop. What did not arrive, by the carrier's record, may be said again.
- `out_of_hours`: written unasked at night, local to the stop. What is about that day's delivery may go from 7 am to
  10 pm, everything else from 8 am to 9 pm. An answer may go at any time: what leaves within `ANSWERING` of their text.
- `contradicting`: what the platform's record says is not so at that time (`delivered` before it was delivered; near,
  late, or on the van after it was over), or what an earlier text rules out (`RULED_OUT`): an earlier kind after a
  later one, back on time without having been late, late twice with nearly the same time.
- `after_opt_out`: anything after somebody opted out, but one confirmation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

ANSWERING = timedelta(minutes=30)
"""So long after somebody's text, what we write is an answer to it; a dispatcher promises 20 minutes."""
CONFIRMATION_WITHIN = timedelta(minutes=10)
SETTLING = timedelta(minutes=6)
"""A text that was on its way when the platform closed a stop; two steps of the day and the wait between two texts."""
SAME_DELAY = timedelta(minutes=10)
"""Two notices of a delay whose times differ by less say the same."""
WIDE, NARROW = (time(7), time(22)), (time(8), time(21))

ONCE = frozenset({"out_for_delivery", "approaching", "delivered", "failed", "returned"})
ABOUT_TODAY = frozenset({*ONCE, "running_late", "back_on_time", "later", "window_changed"})
UNDER_WAY = frozenset({"out_for_delivery", "approaching", "running_late", "back_on_time", "later"})
OVER = frozenset({"delivered", "failed", "returned"})
RULED_OUT: Mapping[str, frozenset[str]] = {
    "approaching": frozenset({"out_for_delivery"}),
    "running_late": frozenset({"out_for_delivery"}),
    "delivered": UNDER_WAY | {"failed", "returned", "window_changed"},
    "returned": UNDER_WAY | {"failed", "delivered", "window_changed"},
    "failed": UNDER_WAY,
}
"""After the one, none of the others can be said of the same stop."""


@dataclass(frozen=True)
class Text:
    """One text as Twilio has it. `at` is aware; `stop` is empty where it cannot be told which one it is about."""

    at: datetime
    phone: str
    body: str
    from_us: bool
    kind: str = ""
    """Of what was written unasked: a kind of notification, or another name; empty for answers."""
    stop: str = ""
    eta: datetime | None = None
    """The time that it names."""
    arrived: bool = True
    """By the carrier's record; what did not arrive may be said again."""


@dataclass(frozen=True)
class StopSeen:
    """One stop as the platform's own record has it at the day's end."""

    ref: str
    phone: str
    timezone: str
    day_at: datetime
    """Some instant of the local day on which it was promised."""
    delivered_at: datetime | None = None
    failed_at: datetime | None = None

    @property
    def over_at(self) -> datetime | None:
        return self.delivered_at or self.failed_at


@dataclass(frozen=True)
class Finding:
    check: str
    text: Text
    why: str


@dataclass(frozen=True)
class Records:
    texts: Sequence[Text]
    """In the order of Twilio's list."""
    stops: Mapping[str, StopSeen] = field(default_factory=dict)
    opted_out: Mapping[str, datetime] = field(default_factory=dict)
    """When each number said that it wants no more; who came back is left out."""
    timezone: str = "America/New_York"

    def ours(self) -> Iterable[Text]:
        return (text for text in self.texts if text.from_us)

    def zone_of(self, text: Text) -> ZoneInfo:
        stop = self.stops.get(text.stop)
        return ZoneInfo(stop.timezone if stop else self.timezone)

    @cached_property
    def _written_at(self) -> Mapping[str, Sequence[datetime]]:
        """When each number wrote to us."""
        found: dict[str, list[datetime]] = {}
        for text in self.texts:
            if not text.from_us:
                found.setdefault(text.phone, []).append(text.at)
        return found

    def last_from(self, phone: str, before: datetime) -> datetime | None:
        """When they last wrote to us."""
        return max((at for at in self._written_at.get(phone, ()) if at <= before), default=None)


def findings(records: Records) -> list[Finding]:
    checks: Sequence[Callable[[Records], Iterable[Finding]]] = (
        said_twice,
        out_of_hours,
        contradicting,
        after_opt_out,
    )
    return [finding for check in checks for finding in check(records)]


def said_twice(records: Records) -> Iterable[Finding]:
    seen: dict[tuple[str, str], datetime] = {}
    once: dict[tuple[str, str], Text] = {}
    for text in records.ours():
        key = (text.phone, text.body)
        wrote = records.last_from(text.phone, text.at)
        before = seen.get(key)
        if before is not None and text.at - before < timedelta(days=1) and not _is_between(before, wrote):
            yield Finding("twice", text, f"the same words at {before.isoformat()}")
        elif text.kind in ONCE and text.stop and text.arrived:
            first = once.setdefault((text.stop, text.kind), text)
            if first is not text:
                yield Finding("twice", text, f"{text.kind} was told at {first.at.isoformat()}")
        if text.arrived:
            seen[key] = text.at


def _is_between(before: datetime, wrote: datetime | None) -> bool:
    return wrote is not None and wrote >= before


def out_of_hours(records: Records) -> Iterable[Finding]:
    for text in records.ours():
        if text.kind and not _may_be_written(text, records):
            local = text.at.astimezone(records.zone_of(text))
            yield Finding("out_of_hours", text, f"{text.kind} at {local:%H:%M} local time")


def _may_be_written(text: Text, records: Records) -> bool:
    wrote = records.last_from(text.phone, text.at)
    if wrote is not None and text.at - wrote <= ANSWERING:
        return True
    zone, stop = records.zone_of(text), records.stops.get(text.stop)
    local = text.at.astimezone(zone)
    is_today = stop is not None and stop.day_at.astimezone(zone).date() == local.date()
    start, end = WIDE if is_today else NARROW
    return start <= local.time().replace(tzinfo=None) < end


def contradicting(records: Records) -> Iterable[Finding]:
    told: dict[str, list[Text]] = {}
    for text in records.ours():
        if text.kind not in ABOUT_TODAY or not text.stop:
            continue
        why = _not_so(text, records.stops.get(text.stop)) or _ruled_out(text, told.get(text.stop, []))
        if why:
            yield Finding("contradicting", text, why)
        if text.arrived:
            told.setdefault(text.stop, []).append(text)


def _not_so(text: Text, stop: StopSeen | None) -> str:
    """What the platform's own record says against it."""
    if stop is None:
        return ""
    if text.kind == "delivered" and (stop.delivered_at is None or stop.delivered_at > text.at):
        return "it was not delivered then"
    if text.kind == "failed" and (stop.failed_at is None or stop.failed_at > text.at):
        return "it had not failed then"
    if text.kind in UNDER_WAY and stop.over_at is not None and text.at > stop.over_at + SETTLING:
        return f"it was over at {stop.over_at.isoformat()}"
    return ""


def _ruled_out(text: Text, told: Sequence[Text]) -> str:
    """What was told before says against it."""
    for earlier in told:
        if text.kind in RULED_OUT.get(earlier.kind, frozenset()):
            return f"{earlier.kind} was told at {earlier.at.isoformat()}"
    about_time = [each for each in told if each.kind in ("running_late", "back_on_time", "window_changed")]
    last = about_time[-1] if about_time else None
    if text.kind == "back_on_time" and (last is None or last.kind != "running_late"):
        return "nobody had told them that it is late"
    if text.kind == "running_late" and last is not None and last.kind == "running_late":
        return _same_delay(text, last)
    named = [each.eta for each in told if each.eta is not None]
    if text.kind == "later" and (not named or text.eta is None or text.eta <= named[-1]):
        return "they had not been told an earlier time"
    return ""


def _same_delay(text: Text, last: Text) -> str:
    if text.eta is not None and last.eta is not None and abs(text.eta - last.eta) < SAME_DELAY:
        return f"the same delay was told at {last.at.isoformat()}"
    return ""


def after_opt_out(records: Records) -> Iterable[Finding]:
    confirmed: set[str] = set()
    for text in records.ours():
        since = records.opted_out.get(text.phone)
        if since is None or text.at < since:
            continue
        if text.phone not in confirmed and not text.kind and text.at - since <= CONFIRMATION_WITHIN:
            confirmed.add(text.phone)
            continue
        yield Finding("after_opt_out", text, f"they opted out at {since.isoformat()}")
