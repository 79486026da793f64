"""What a dispatcher typed in Slack, as the plain text that a recipient can read. Pure.

Source: docs.slack.dev, formatting message text (escapes, references in angle brackets) and the rich text block.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from connectors.slack.mrkdwn import EVERYBODY
from connectors.slack.payloads import RichElement

_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")

SOMEBODY = "a dispatcher"
GROUP = "the dispatchers"
CHANNEL = "dispatch"
"""Recipients know no Slack names: a mention becomes the word they would use."""


def plain_text(markup: str, blocks: Sequence[dict[str, Any]] | None = None) -> str:
    """A message as typed: from its rich text where Slack sent any, else from its markup."""
    rich = rich_elements(blocks)
    return tidy(from_rich_text(rich)) if rich else tidy(from_markup(markup))


def tidy(text: str) -> str:
    """Without what is invisible: control characters, the composer's no-break spaces, empty lines in a row."""
    text = text.replace("\r\n", "\n").replace("\u00a0", " ").replace("\t", " ")
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"})
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


# --- markup ---------------------------------------------------------------------------------------


def from_markup(text: str) -> str:
    spelt_out = _REFERENCE.sub(lambda match: _reference(match[1], match[2] or ""), text)
    return spelt_out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _reference(target: str, label: str) -> str:
    if target.startswith("@"):
        return label.lstrip("@") or SOMEBODY
    if target.startswith("#"):
        return label.lstrip("#") or CHANNEL
    if target.startswith("!"):
        name = target[1:]
        return label.lstrip("@") or (GROUP if name.startswith("subteam^") else EVERYBODY.get(name, ""))
    return _link(target, label)


def _link(url: str, label: str) -> str:
    """What was typed where Slack made the link by itself, else the label with its address."""
    kind, _, rest = url.partition(":")
    if kind in {"tel", "mailto"}:
        return label or rest
    bare = rest.removeprefix("//").rstrip("/")
    if not label or label.rstrip("/") == url.rstrip("/"):
        return url
    return label if label.rstrip("/") == bare else f"{label} ({url})"


# --- rich text -------------------------------------------------------------------------------------


def rich_elements(blocks: Sequence[dict[str, Any]] | None) -> list[RichElement]:
    """The paragraphs, lists and quotes that the composer made; empty when there are none, or none we can read."""
    try:
        rich = [RichElement.model_validate(b) for b in blocks or [] if b.get("type") == "rich_text"]
    except ValidationError:
        return []
    return [element for block in rich for element in block.elements]


def from_rich_text(elements: Sequence[RichElement]) -> str:
    text = ""
    for element in elements:
        joint = "\n" if text and not text.endswith("\n") else ""
        text += joint + (_list(element) if element.type == "rich_text_list" else _inline(element))
    return text


def _list(element: RichElement) -> str:
    marks = (f"{n}. " if element.style == "ordered" else "- " for n in range(1, len(element.elements) + 1))
    return "\n".join(mark + _inline(item) for mark, item in zip(marks, element.elements, strict=True))


def _inline(element: RichElement) -> str:
    """Words only: bold, italic and the like have no place in a text message."""
    if element.elements:
        return "".join(_inline(part) for part in element.elements)
    match element.type:
        case "link":
            return _link(element.url or "", element.text or "")
        case "user":
            return SOMEBODY
        case "usergroup":
            return GROUP
        case "channel":
            return CHANNEL
        case "broadcast":
            return EVERYBODY.get(element.range or "", "")
        case "emoji":
            return _emoji(element.unicode or "")
        case "date":
            return element.fallback or ""
    return element.text or ""


def _emoji(codepoints: str) -> str:
    """`1f468-200d-1f466` as characters; a workspace's own emoji has none and is left out."""
    if not re.fullmatch(r"[0-9a-f]{2,6}(-[0-9a-f]{2,6})*", codepoints):
        return ""
    numbers = [int(point, 16) for point in codepoints.split("-")]
    return "".join(map(chr, numbers)) if max(numbers) <= 0x10FFFF else ""
