"""Slack's markup, and times as people say them: the small change of `blocks.py`. Everything here is pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow

TEXT_LIMIT = 3000
"""Characters in one text object. Source: Slack, Block Kit reference."""

_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MENTION = re.compile(
    r"<(?:@(?P<user>[UW][A-Z0-9]+)|!subteam\^(?P<group>[A-Z0-9]+)|!(?P<all>here|channel|everyone))"
    r"(?:\|(?P<label>[^>]*))?>"
)
_EVERYBODY = {"here": "everyone who is here", "channel": "the whole channel", "everyone": "everyone"}


def escape(text: str) -> str:
    """What Slack asks for in mrkdwn: nothing in `text` can become a mention or a link any more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def foreign(text: str, limit: int) -> str:
    """Words that somebody else wrote, on one line, at most `limit` characters long, harmless in mrkdwn.

    A backtick would swallow the rest of the message as code, a direction mark would turn the line around.
    """
    flat = " ".join(_BIDI_CONTROLS.sub("", text).replace("`", "'").split())
    printable = "".join(c for c in flat if unicodedata.category(c) not in {"Cc", "Cs"})
    kept = escape(shorten(printable, limit))
    reads_right_to_left = any(unicodedata.bidirectional(c) in {"R", "AL"} for c in printable)
    return f"\u2068{kept}\u2069" if reads_right_to_left else kept


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def mention(dispatcher: str) -> str:
    return f"<@{escape(dispatcher)}>"


def mentioned_users(text: str) -> list[str]:
    """Ids of the people whom `text` would notify, in order, each once."""
    return list(dict.fromkeys(m["user"] for m in _MENTION.finditer(text) if m["user"]))


def without_mentions(text: str, names: Mapping[str, str] | None = None) -> str:
    """`text` naming the same people without notifying them; `names` are display names by user id."""

    def named(match: re.Match[str]) -> str:
        if match["label"]:
            return "@" + match["label"].lstrip("@")
        if match["all"]:
            return _EVERYBODY[match["all"]]
        if match["group"]:
            return "the on-call group"
        name = (names or {}).get(match["user"])
        return f"@{name}" if name else "a dispatcher"

    return _MENTION.sub(named, text)


def sentence(text: str) -> str:
    """`text` with a full stop, unless it already ends in one; empty stays empty."""
    return text if not text or text.endswith((".", "?", "…")) else text + "."


def pack(lines: Iterable[str], limit: int = TEXT_LIMIT) -> list[str]:
    """The lines joined to as few texts as the limit allows; a line is never cut and must itself fit."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= limit:
            texts[-1] += "\n" + line
        else:
            texts.append(line)
    return texts


# --- times --------------------------------------------------------------------------------------


def moment(at: datetime, timezone: str, now: datetime) -> str:
    """`4:25 pm`, or `Tue Jun 11, 4:25 pm` when that is not today in `timezone`."""
    local = at.astimezone(ZoneInfo(timezone))
    return _day_prefix(local, timezone, now) + _clock(local)


def window_words(window: DeliveryWindow, timezone: str, now: datetime) -> str:
    """`2-4 pm`, `11 am-1 pm`, `2:30-4 pm`, with the day in front when it is not today."""
    zone = ZoneInfo(timezone)
    start, end = window.start_at.astimezone(zone), window.end_at.astimezone(zone)
    if window.end_at - window.start_at > timedelta(hours=24):
        return f"{_day(start.date())}, {_short_clock(start)}-{_day(end.date())}, {_short_clock(end)}"
    same_half = start.date() == end.date() and _half(start) == _half(end)
    opening = _short_clock(start).removesuffix(f" {_half(start)}") if same_half else _short_clock(start)
    return f"{_day_prefix(start, timezone, now)}{opening}-{_short_clock(end)}"


def duration_words(length: timedelta) -> str:
    """`22 min`, `2 h`, `2 h 5 min`; under a minute counts as one."""
    minutes = max(1, int(length.total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _day_prefix(local: datetime, timezone: str, now: datetime) -> str:
    today = now.astimezone(ZoneInfo(timezone)).date()
    return "" if local.date() == today else f"{_day(local.date())}, "


def _day(day: date) -> str:
    return f"{day:%a %b} {day.day}"


def _half(local: datetime) -> str:
    return "am" if local.hour < 12 else "pm"


def _clock(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local.minute:02d} {_half(local)}"


def _short_clock(local: datetime) -> str:
    minutes = f":{local.minute:02d}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes} {_half(local)}"
