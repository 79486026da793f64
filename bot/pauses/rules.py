"""Pure: what a maintenance window covers, until when it holds steps, and what became of what it held back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.escalations.cause import Cause
from bot.pauses.models import Pause, PauseHit
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus
from connectors.escalation import Severity
from connectors.pauses import HitFate, PauseWhat

SILENT = "silent:"
"""How the cause key of a platform without news begins; the account follows."""

LATE = frozenset({Severity.AT_RISK, Severity.BREACHED})
"""What every sweep finds again while it is so."""

LINES = 40
"""Of what was held back; the rest is counted."""


@dataclass(frozen=True, slots=True)
class About:
    """What a stop, or a cause without stops, is about."""

    zone: str = ""
    clients: frozenset[str] = frozenset()
    platform: str = ""
    route_ref: str | None = None


def about_cause(cause: Cause) -> About:
    platform = cause.platform or _silent_platform(cause.key)
    clients = cause.clients or frozenset(filter(None, [cause.client]))
    return About(cause.zone, clients, platform, cause.route_ref)


def about_stop(zone: str, client: str, platform: str, route_ref: str | None) -> About:
    return About(zone, frozenset([client]), platform, route_ref)


def about_key(key: str, zone: str, client: str) -> About:
    """Of an escalation that has no stops."""
    return About(zone, frozenset(filter(None, [client])), _silent_platform(key))


def is_held(severity: Severity) -> bool:
    """Whoever waits for a person was promised an answer, maintenance or not."""
    return severity is not Severity.RECIPIENT_WAITING


def covers(pause: Pause, about: About) -> bool:
    """Names are the same whatever their letters' case."""
    match pause.what:
        case PauseWhat.EVERYTHING:
            return True
        case PauseWhat.ZONE:
            return _same(about.zone, pause.ref)
        case PauseWhat.PLATFORM:
            return _same(about.platform, pause.ref)
        case PauseWhat.ROUTE:
            return about.platform == pause.platform and about.route_ref == pause.ref
    # Something about two clients is held back only where both are paused; the other one's promise still counts.
    return bool(about.clients) and all(_same(client, pause.ref) for client in about.clients)


def covering(pauses: Sequence[Pause], about: About) -> Pause | None:
    """The one that ends last: what it holds back is listed once, when nothing covers it any more."""
    found = [pause for pause in pauses if covers(pause, about)]
    return max(found, key=lambda pause: (pause.ends_at is None, pause.ends_at), default=None)


def runs(pause: Pause, now: datetime) -> bool:
    if pause.ended_at is not None or pause.starts_at > now:
        return False
    return pause.ends_at is None or now < pause.ends_at


def holds_until(pause: Pause, now: datetime, again_after: timedelta) -> datetime:
    """Until when steps wait: its end, or for one without an end the next of its reminders."""
    if pause.ends_at is not None:
        return pause.ends_at
    rounds = (now - pause.starts_at) // again_after + 1
    return pause.starts_at + rounds * again_after


def was_held_by(pause: Pause, due_at: datetime, again_after: timedelta) -> bool:
    """Whether a step that is due then may be waiting for this pause."""
    if pause.ends_at is not None:
        return due_at == pause.ends_at
    return due_at > pause.starts_at and (due_at - pause.starts_at) % again_after == timedelta(0)


# --- at the end -------------------------------------------------------------------------------------------


def fate_of(hit: PauseHit, stop: StopRecord | None, others: Sequence[Pause]) -> HitFate:
    """What became of it by now; `others` are the windows that still run."""
    if stop is None or hit.severity not in LATE:
        return _fate_of_cause(hit, stop)
    if stop.status is StopStatus.DELIVERED:
        return _fate_of_delivered(stop)
    if stop.status is StopStatus.FAILED:
        return HitFate.FAILED
    if not stop.is_open or stop.window_end_at is None:
        return HitFate.GONE
    if stop.sla_state is SlaState.ON_TRACK:
        return HitFate.BACK_ON_TRACK
    about = about_stop(stop.zone, stop.client, stop.platform, stop.route_ref)
    return HitFate.STILL_PAUSED if covering(others, about) else HitFate.STILL_TRUE


def _fate_of_cause(hit: PauseHit, stop: StopRecord | None) -> HitFate:
    if stop is not None and stop.status is StopStatus.FAILED:
        return HitFate.FAILED
    return HitFate.LOOKED_AT_AGAIN if hit.severity is Severity.PLATFORM_SILENT else HitFate.UNKNOWN


def _fate_of_delivered(stop: StopRecord) -> HitFate:
    if stop.completed_at is None or stop.window_end_at is None:
        return HitFate.SAVED
    return HitFate.SAVED if stop.completed_at < stop.window_end_at else HitFate.DELIVERED_LATE


def _silent_platform(key: str) -> str:
    return key.removeprefix(SILENT) if key.startswith(SILENT) else ""


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()
