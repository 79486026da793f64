"""What `/doorline pause …` says: what, when, why. Pure; whether there is such a zone is judged later."""

import re
from datetime import date

from connectors.pauses import PauseWhat

HOW = "\n".join(
    [
        "Nothing was paused. Write it as one of these, with a reason at the end if you like:",
        "`/doorline pause zone North 2h` · `/doorline pause route N1 90m` · `/doorline pause platform onfleet 30m`",
        "`/doorline pause client Acme 22:00-02:00` · `/doorline pause client Acme 2026-06-10 22:00-02:00`",
        "`/doorline pause everything until 14:00` · `/doorline pause zone North until lifted`",
    ]
)
HOW_TO_RESUME = "Write it as `/doorline resume 3`; `/doorline pauses` lists the numbers."

_LENGTH = re.compile(r"(?=\d)(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m(?:in)?)?", re.ASCII)
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_SPAN = re.compile(rf"({_CLOCK})-({_CLOCK})", re.ASCII)


def read_pause(words: list[str]) -> dict[str, str] | None:
    """The fields of `CommandKind.PAUSE`; None for what is not understood.

    A name may have several words: the first thing that is a time ends it, and the rest is the reason.
    """
    if not words or words[0].lower() not in list(PauseWhat):
        return None
    what = PauseWhat(words[0].lower())
    for place in range(1, len(words)):
        if (read := _time(words[place:])) is None:
            continue
        name, (when, taken) = " ".join(words[1:place]), read
        if bool(name) == (what is PauseWhat.EVERYTHING):
            return None
        why = " ".join(words[place + taken :])
        nothing = {"date": "", "start": "", "end": "", "minutes": ""}
        return {"what": what.value, "name": name, **nothing, **when, "why": why}
    return None


def _time(words: list[str]) -> tuple[dict[str, str], int] | None:
    """When, and how many words say it; None when no time begins here."""
    if (minutes := _minutes(words[0])) is not None:
        return {"minutes": str(minutes)}, 1
    if (span := _SPAN.fullmatch(words[0])) is not None:
        return {"start": _clock(span[1]), "end": _clock(span[2])}, 1
    if len(words) < 2:
        return None
    if _is_date(words[0]) and (span := _SPAN.fullmatch(words[1])) is not None:
        return {"date": words[0], "start": _clock(span[1]), "end": _clock(span[2])}, 2
    if words[0].lower() == "until":
        return _until(words[1])
    return None


def _until(word: str) -> tuple[dict[str, str], int] | None:
    if word.lower() == "lifted":
        return {}, 2
    return ({"end": _clock(word)}, 2) if re.fullmatch(_CLOCK, word, re.ASCII) else None


def _minutes(word: str) -> int | None:
    """`2h`, `90m`, `1h30m`, `1d`; None for anything else, and for no time at all."""
    match = _LENGTH.fullmatch(word.lower())
    if match is None:
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + minutes or None


def _clock(text: str) -> str:
    return text.rjust(5, "0")


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        return False
