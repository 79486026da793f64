"""Slack's markup, with the times of `connectors.day_times` at hand: the small change of `blocks.py`. All pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote

from connectors.base import DeliveryWindow
from connectors.day_times import day_words, duration_words, moment, window_words

__all__ = [
    "EVERYBODY",
    "TEXT_LIMIT",
    "day_words",
    "duration_words",
    "escape",
    "foreign",
    "foreign_within",
    "link",
    "mention",
    "mentioned_users",
    "moment",
    "one_line",
    "pack",
    "punctuality",
    "quiet",
    "quoted",
    "sentence",
    "shorten",
    "window_words",
    "without_mentions",
]

TEXT_LIMIT = 3000
"""Characters in one text object. Source: Slack, Block Kit reference."""

_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MENTION = re.compile(
    r"<(?:@(?P<user>[UW][A-Z0-9]+)|!subteam\^(?P<group>[A-Z0-9]+)|!(?P<all>here|channel|everyone))"
    r"(?:\|(?P<label>[^>]*))?>"
)
EVERYBODY = {"here": "everyone who is here", "channel": "the whole channel", "everyone": "everyone"}


def escape(text: str) -> str:
    """What Slack asks for in mrkdwn: nothing in `text` can become a mention or a link any more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def foreign(text: str, limit: int) -> str:
    """Words that somebody else wrote, on one line, at most `limit` characters long, harmless in mrkdwn.

    A backtick would swallow the rest of the message as code.
    """
    line = one_line(text, limit).replace("`", "'")
    reads_right_to_left = any(unicodedata.bidirectional(c) in {"R", "AL"} for c in line)
    return f"\u2068{escape(line)}\u2069" if reads_right_to_left else escape(line)


def foreign_within(text: str, limit: int) -> str:
    """As `foreign`, but `limit` counts what escaping adds, as Slack does in its smallest fields."""
    kept = min(limit, len(text))
    while (over := len(line := foreign(text, kept)) - limit) > 0:
        # One character escapes to five at most.
        kept -= -(-over // 5)
    return line


def quoted(text: str, limit: int) -> str:
    """Somebody else's words as a quote, line by line; empty stays empty."""
    lines = [foreign(line, limit) for line in shorten(text, limit).splitlines()]
    return "\n".join(f"> {line}" for line in lines if line)


def one_line(text: str, limit: int) -> str:
    """At most `limit` printable characters. A direction mark would turn the line around."""
    flat = " ".join(_BIDI_CONTROLS.sub("", text).split())
    return shorten("".join(c for c in flat if unicodedata.category(c) not in {"Cc", "Cs"}), limit)


def link(url: str, label: str) -> str:
    """A link of our own making: whatever `url` holds, it cannot get out of its angle brackets."""
    return f"<{quote(url, safe=':/?#[]@!$()*+,;=%~')}|{label}>"


def quiet(text: str, limit: int = 240) -> str:
    """Our own words from the protocol, with mentions spelt out: announcing a page must not be the page."""
    return foreign(without_mentions(text), limit)


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
            return EVERYBODY[match["all"]]
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


def punctuality(completed_at: datetime, window: DeliveryWindow) -> str:
    # The window is half open: an arrival exactly at its end is late.
    if completed_at >= window.end_at:
        return f"{duration_words(completed_at - window.end_at)} late"
    return "in time" if completed_at >= window.start_at else "before the window"
