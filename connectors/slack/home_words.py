"""The lines of the App Home. Pure."""

from datetime import datetime

from connectors.escalation import EscalationState
from connectors.follow_up import ZoneFollowUps
from connectors.home import (
    DutyNow,
    FeedNews,
    HomeEscalation,
    HomeTask,
    HomeView,
    StopAtRisk,
    ZoneBoard,
)
from connectors.pauses import PauseNotice, PauseWhat
from connectors.slack.cause_words import SEVERITIES
from connectors.slack.mrkdwn import duration_words, foreign, mention, moment, sentence, window_words

NAME_LIMIT = 60
SENTENCE_LIMIT = 200

NOT_A_DISPATCHER = (
    "You are not on the list of dispatchers, so the day is not shown here."
    " Whoever looks after Doorline can add you."
)
NO_ROTA = "Nobody is named in a rota."
ZONES_SETTING = "*Zones I see*\nOn this page, and counted on its board. None chosen means all."
LANGUAGE_SETTING = "*Language*\nIn which Doorline texts and calls me."

SIGNS = {
    EscalationState.RAISED: ":red_circle:",
    EscalationState.ACKNOWLEDGED: ":large_yellow_circle:",
    EscalationState.SNOOZED: ":zzz:",
    EscalationState.RESOLVED: ":white_check_mark:",
}
_UNTIL = {
    EscalationState.RAISED: "next step at",
    EscalationState.ACKNOWLEDGED: "yours until",
    EscalationState.SNOOZED: "snoozed until",
    EscalationState.RESOLVED: "it was open until",
}


def escalation_words(item: HomeEscalation, timezone: str, now: datetime) -> str:
    """Two lines: what it is and until when, then why."""
    until = f"{_UNTIL[item.state]} {moment(item.until, timezone, now)}" if item.until else ""
    parts = [
        f"{SIGNS[item.state]} *{SEVERITIES[item.severity]}*",
        foreign(item.zone, NAME_LIMIT),
        foreign(item.client, NAME_LIMIT),
        _count(item.stops) if item.stops else "",
        until,
    ]
    first = " · ".join(part for part in parts if part)
    why = sentence(foreign(item.why, SENTENCE_LIMIT))
    return f"{first}\n{why}" if why else first


def task_words(task: HomeTask, kind: str) -> str:
    parts = [
        f":busts_in_silhouette: *{kind}*",
        foreign(task.zone, NAME_LIMIT),
        foreign(task.client, NAME_LIMIT),
    ]
    first = " · ".join(part for part in parts if part)
    return f"{first}\nYou approved it. Somebody else must approve it too."


def board_words(board: ZoneBoard) -> str:
    """`*North* · 212 stops · 40 not out yet · 120 out · 50 delivered · 2 failed · :warning: 5 at risk`."""
    counts = [
        (board.waiting, "not out yet"),
        (board.out, "out"),
        (board.delivered, "delivered"),
        (board.failed, "failed"),
    ]
    parts = [f"*{foreign(board.zone, NAME_LIMIT) or 'Without a zone'}*", _count(board.stops)]
    parts += [f"{count:,} {name}" for count, name in counts if count]
    parts += [f":red_circle: {board.breached:,} late"] if board.breached else []
    parts += [f":warning: {board.at_risk:,} at risk"] if board.at_risk else []
    return " · ".join(parts)


def follow_up_words(zone: ZoneFollowUps, timezone: str, now: datetime) -> str:
    """`*North* · 4 open, the oldest since 11:40 am · :warning: 1 waits for dispatch`."""
    oldest = moment(zone.oldest_at, timezone, now)
    since = f", the oldest since {oldest}" if zone.open > 1 else f" since {oldest}"
    waits = "1 waits" if zone.with_dispatcher == 1 else f"{zone.with_dispatcher:,} wait"
    parts = [
        f"*{foreign(zone.zone, NAME_LIMIT) or 'Without a zone'}*",
        f"{zone.open:,} open{since}",
        f":warning: {waits} for dispatch" if zone.with_dispatcher else "",
    ]
    return " · ".join(part for part in parts if part)


def risk_words(stop: StopAtRisk, now: datetime) -> str:
    where = foreign(stop.address_line, NAME_LIMIT) or foreign(stop.tracking, NAME_LIMIT)
    window = f"window {window_words(stop.window, stop.timezone, now)}" if stop.window else "no window"
    sign = ":red_circle: " if stop.is_breached else ""
    parts = [f"{sign}{where}", foreign(stop.client, NAME_LIMIT), window, _lateness(stop, now)]
    return " · ".join(part for part in parts if part)


def _lateness(stop: StopAtRisk, now: datetime) -> str:
    if stop.eta_at is None:
        return "no ETA"
    eta = f"ETA {moment(stop.eta_at, stop.timezone, now)}"
    if stop.window is not None and stop.eta_at >= stop.window.end_at:
        return f"{eta}, {duration_words(stop.eta_at - stop.window.end_at)} late"
    return eta


def feed_words(feed: FeedNews, timezone: str, now: datetime) -> str:
    name = foreign(feed.platform, NAME_LIMIT)
    since = f"no news since {moment(feed.read_at, timezone, now)}" if feed.read_at else "no news yet"
    return f"{':warning: ' if feed.is_silent else ''}{name}: {since}"


def duty_words(duty: DutyNow) -> str:
    zone = f"*{foreign(duty.zone, NAME_LIMIT) or 'Everywhere'}*"
    if not duty.names:
        return f":warning: {zone} · nobody is on call"
    first = mention(duty.slack) if duty.slack else foreign(duty.names[0], NAME_LIMIT)
    then = f" · then {foreign(duty.names[1], NAME_LIMIT)}" if len(duty.names) > 1 else ""
    return f"{zone} · {first}{then}"


def pause_words(pause: PauseNotice, now: datetime) -> str:
    """`*Zone North* until 5 pm · by @dana · Moving the depot · number 4`."""
    end = pause.ends_at
    until = f"until {moment(end, pause.timezone, now)}" if end else "until somebody lifts it"
    is_all = pause.what is PauseWhat.EVERYTHING
    what = "Everything" if is_all else f"{pause.what.value.title()} {foreign(pause.name, NAME_LIMIT)}"
    by = "" if pause.by.startswith("person:") else f"by {mention(pause.by)}"
    parts = [f":double_vertical_bar: *{what}* {until}", by, foreign(pause.why, SENTENCE_LIMIT)]
    return " · ".join([*(part for part in parts if part), f"number {pause.number}"])


def footer_words(view: HomeView, now: datetime) -> str:
    return f"Last change {moment(view.as_of, view.timezone, now)}. Kept current for four hours after you open it."


def _count(stops: int) -> str:
    return "1 stop" if stops == 1 else f"{stops:,} stops"
