"""What `/doorline …` means: a window to open, a command to store, or something to explain. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from connectors.desk import CommandKind
from connectors.slack.mrkdwn import foreign
from connectors.slack.pausing import HOW, HOW_TO_RESUME, read_pause

COMMAND = "/doorline"
MOST_MINUTES = 24 * 60
WORD_LIMIT = 60

NEEDS_MINUTES = f"Nothing was changed. Write it as `{COMMAND} shift ZONE 30`, with `-30` for earlier."
NEEDS_STOP = f"Write it as `{COMMAND} stop REF`, with the tracking or order number."
NEEDS_REPORT = (
    f"Write it as `{COMMAND} report incident INC-1042`,"
    f" or as `{COMMAND} report sla CLIENT 2026-06-01 2026-06-30`."
)
NEEDS_DATE = f"Nothing was sent. Write it as `{COMMAND} release 2026-06-09`."


@dataclass(frozen=True)
class Opens:
    """A window; `stop` is what it begins with."""

    kind: CommandKind
    stop: str = ""


@dataclass(frozen=True)
class Commands:
    """All that is needed is there."""

    kind: CommandKind
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Says:
    text: str


Meaning = Opens | Commands | Says


def read_slash(text: str) -> Meaning:
    """Raises nothing: what is not understood is explained."""
    words = text.split()
    if not words or words[0].lower() in ("help", "?"):
        return Says(HELP)
    known = SUBCOMMANDS.get(words[0].lower())
    if known is None:
        return Says(f"`{foreign(words[0], WORD_LIMIT)}` is no command.\n{HELP}")
    return known.read(words[1:])


def is_date(text: str) -> bool:
    """Whether it is `YYYY-MM-DD` and a day that exists."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _new(words: list[str]) -> Meaning:
    return Opens(CommandKind.NEW_STOP)


def _move(words: list[str]) -> Meaning:
    return Opens(CommandKind.MOVE_WINDOW, " ".join(words))


def _cancel(words: list[str]) -> Meaning:
    return Opens(CommandKind.CANCEL_STOP, " ".join(words))


def _shift(words: list[str]) -> Meaning:
    words, day = _without_date(words)
    is_route = bool(words) and words[0].lower() == "route"
    place = " ".join(words[int(is_route) : -1])
    minutes = words[-1] if words else ""
    if not place or not re.fullmatch(r"[+-]?\d{1,4}", minutes, re.ASCII):
        return Says(NEEDS_MINUTES)
    if not 0 < abs(int(minutes)) <= MOST_MINUTES:
        return Says(NEEDS_MINUTES)
    where = {"route": place, "zone": ""} if is_route else {"route": "", "zone": place}
    return Commands(
        CommandKind.MOVE_WINDOWS, {**where, "client": "", "date": day, "minutes": str(int(minutes))}
    )


def _release(words: list[str]) -> Meaning:
    if not words or not is_date(words[0]):
        return Says(NEEDS_DATE)
    return Commands(CommandKind.RELEASE_ROUTES, {"date": words[0], "platform": " ".join(words[1:])})


def _manifest(words: list[str]) -> Meaning:
    words, day = _without_date(words)
    return Commands(CommandKind.SHOW_MANIFEST, {"zone": " ".join(words), "date": day})


def _without_date(words: list[str]) -> tuple[list[str], str]:
    """The words, and the date that stood last."""
    return (words[:-1], words[-1]) if words and is_date(words[-1]) else (words, "")


def _stop(words: list[str]) -> Meaning:
    return Commands(CommandKind.SHOW_STOP, {"stop": " ".join(words)}) if words else Says(NEEDS_STOP)


def _incident(words: list[str]) -> Meaning:
    return Opens(CommandKind.MAKE_INCIDENT, " ".join(words))


def _report(words: list[str]) -> Meaning:
    match [word.lower() for word in words[:1]], words[1:]:
        case ["incident"], [number]:
            return Commands(CommandKind.REPORT_INCIDENT, {"incident": number})
        case ["sla"], [*client, start, end] if client and is_date(start) and is_date(end) and start <= end:
            fields = {"client": " ".join(client), "start": start, "end": end}
            return Commands(CommandKind.REPORT_SLA, fields)
    return Says(NEEDS_REPORT)


def _recovery(words: list[str]) -> Meaning:
    return Commands(CommandKind.SHOW_FOLLOW_UPS, {"zone": " ".join(words)})


def _who(words: list[str]) -> Meaning:
    return Commands(CommandKind.WHO_IS_ON_CALL, {"zone": " ".join(words)})


def _pause(words: list[str]) -> Meaning:
    fields = read_pause(words)
    return Commands(CommandKind.PAUSE, fields) if fields is not None else Says(HOW)


def _pauses(words: list[str]) -> Meaning:
    return Commands(CommandKind.SHOW_PAUSES)


def _resume(words: list[str]) -> Meaning:
    number = "".join(words).lstrip("#")
    is_number = re.fullmatch(r"\d{1,9}", number, re.ASCII) is not None
    return Commands(CommandKind.LIFT_PAUSE, {"number": number}) if is_number else Says(HOW_TO_RESUME)


@dataclass(frozen=True)
class Subcommand:
    usage: str
    """After the command itself."""
    about: str
    read: Callable[[list[str]], Meaning]
    """Given the words after its own name."""


SUBCOMMANDS: dict[str, Subcommand] = {
    "stop": Subcommand("stop REF", "how a stop stands; REF is its tracking or order number", _stop),
    "new": Subcommand("new", "enter a stop", _new),
    "move": Subcommand("move REF", "another window for a stop", _move),
    "cancel": Subcommand("cancel REF", "cancel a stop", _cancel),
    "shift": Subcommand(
        "shift ZONE 30 [DATE]",
        "all windows of a zone later by minutes, `-30` earlier; `shift route NAME 30` for one route."
        " Takes two people",
        _shift,
    ),
    "release": Subcommand(
        "release DATE [PLATFORM]", "send the routes of a day to their drivers. Takes two people", _release
    ),
    "manifest": Subcommand("manifest [ZONE] [DATE]", "post the manifest, or bring it up to date", _manifest),
    "recovery": Subcommand(
        "recovery [ZONE]", "failed deliveries that wait for dispatch, and the board", _recovery
    ),
    "incident": Subcommand("incident [REF]", "make an incident of a stop", _incident),
    "report": Subcommand(
        "report incident NUMBER",
        "the report of one incident; `report sla CLIENT FROM TO` reviews a client's promises, both days counted",
        _report,
    ),
    "who": Subcommand("who [ZONE]", "who is on call now", _who),
    "pause": Subcommand(
        "pause zone NAME 2h [WHY]",
        "hold back what is raised about a zone, `client NAME`, `route NAME`, `platform NAME` or `everything`:"
        " `2h`, `22:00-02:00`, `DATE 22:00-02:00`, `until 14:00` or `until lifted`",
        _pause,
    ),
    "pauses": Subcommand("pauses", "what is paused, and what is planned", _pauses),
    "resume": Subcommand("resume NUMBER", "end such a pause", _resume),
}
"""By the first word that is typed, in the order of the help."""


def help_text() -> str:
    lines = [f"`{COMMAND} {each.usage}` · {each.about}" for each in SUBCOMMANDS.values()]
    return "\n".join([*lines, "Dates are written 2026-06-09."])


HELP = help_text()
