"""The limits of Block Kit as Slack enforces them. Source: Block Kit reference, slack_sdk models.

Plain dicts reach the emulator, which the SDK does not check; so they are checked here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.slack.emulator_inputs import input_problems

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
TEXT = 3000
FIELD = 2000
HEADER = 150
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
URL = 3000
IDENTIFIER = 255
OPTION_TEXT = 75
OPTION_VALUE = 150
TITLE = 24
PRIVATE_METADATA = 3000
MESSAGE_TEXT = 13_200
"""All texts of one message together: beyond it stands `msg_blocks_too_long`, whose limit Slack does not document."""
INPUT_LENGTH = 3000

Node = Mapping[str, Any]


def block_problems(blocks: Any, most: int = MESSAGE_BLOCKS) -> list[str]:
    """What Slack would refuse, in its `[ERROR] …` manner; empty when it would accept."""
    if not isinstance(blocks, list):
        return ["[ERROR] blocks must be a list"]
    problems = [] if len(blocks) <= most else [f"[ERROR] no more than {most} items allowed [/blocks]"]
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        if not isinstance(block, dict) or block.get("type") not in _CHECKS:
            problems.append(f"[ERROR] unsupported type [{where}]")
            continue
        problems += [f"[ERROR] {problem} [{where}]" for problem in _CHECKS[block["type"]](block)]
        block_id = block.get("block_id")
        if block_id is not None and (block_id in seen or len(str(block_id)) > IDENTIFIER):
            problems.append(f"[ERROR] block_id taken or too long [{where}]")
        seen.add(str(block_id))
    return problems


def length_of(node: Any) -> int:
    """Characters of all texts in these blocks together."""
    if isinstance(node, dict):
        own = len(node["text"]) if isinstance(node.get("text"), str) else 0
        return own + sum(length_of(value) for value in node.values())
    return sum(length_of(each) for each in node) if isinstance(node, list) else 0


def view_problems(view: Node) -> list[str]:
    """The same for what surrounds the blocks of a modal or home view."""
    problems = list(_frame(view))
    for name, most in (("private_metadata", PRIVATE_METADATA), ("callback_id", IDENTIFIER)):
        if len(str(view.get(name) or "")) > most:
            problems.append(f"must be less than {most + 1} characters [/{name}]")
    return [f"[ERROR] {problem}" for problem in problems]


def _frame(view: Node) -> Iterator[str]:
    if view.get("type") != "modal":
        return
    inputs = [b for b in view.get("blocks") or [] if isinstance(b, dict) and b.get("type") == "input"]
    needed = ["title", "submit"] if inputs else ["title"]
    for name in ("title", "submit", "close"):
        if name in needed or view.get(name) is not None:
            for problem in _text(view.get(name), TITLE, kinds=("plain_text",)):
                yield f"{problem} [/{name}]"


def _section(block: Node) -> Iterator[str]:
    if block.get("text") is None and not block.get("fields"):
        yield "section needs text or fields"
    if block.get("text") is not None:
        yield from _text(block["text"], TEXT)
    fields = block.get("fields") or []
    if len(fields) > 10:
        yield "no more than 10 fields"
    for field in fields:
        yield from _text(field, FIELD)
    if block.get("accessory") is not None:
        yield from _element(block["accessory"])


def _actions(block: Node) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        yield "actions needs 1 to 25 elements"
        return
    identifiers = [e.get("action_id") for e in elements if isinstance(e, dict) and e.get("action_id")]
    if len(identifiers) != len(set(identifiers)):
        yield "action_id taken"
    for element in elements:
        yield from _element(element)


def _context(block: Node) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        yield "context needs 1 to 10 elements"
        return
    for element in elements:
        if isinstance(element, dict) and element.get("type") == "image":
            yield from _image(element)
        else:
            yield from _text(element, TEXT)


def _header(block: Node) -> Iterator[str]:
    yield from _text(block.get("text"), HEADER, kinds=("plain_text",))


def _image(block: Node) -> Iterator[str]:
    if not block.get("alt_text") or len(str(block["alt_text"])) > 2000:
        yield "alt_text missing or too long"
    if not block.get("slack_file") and not 1 <= len(str(block.get("image_url") or "")) <= URL:
        yield "image_url missing or too long"


def _input(block: Node) -> Iterator[str]:
    yield from _text(block.get("label"), 2000, kinds=("plain_text",))
    if block.get("hint") is not None:
        yield from _text(block["hint"], 2000, kinds=("plain_text",))
    if not isinstance(block.get("element"), dict):
        yield "input needs an element"
    else:
        yield from _element(block["element"])


def _markdown(block: Node) -> Iterator[str]:
    if not 1 <= len(str(block.get("text") or "")) <= 12000:
        yield "markdown text missing or too long"


def _anything(block: Node) -> Iterator[str]:
    yield from ()


_CHECKS = {
    "section": _section,
    "actions": _actions,
    "context": _context,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "divider": _anything,
    "rich_text": _anything,
    "video": _anything,
    "file": _anything,
    "table": _anything,
    "context_actions": _anything,
}


# --- parts of blocks ------------------------------------------------------------------------------


def _text(text: Any, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"text must be {' or '.join(kinds)}"
    elif not isinstance(text.get("text"), str) or not 1 <= len(text["text"]) <= most:
        yield f"must be 1 to {most} characters"


def _element(element: Any) -> Iterator[str]:
    if not isinstance(element, dict) or not isinstance(element.get("type"), str):
        yield "an element needs a type"
        return
    if len(str(element.get("action_id") or "")) > IDENTIFIER:
        yield f"action_id longer than {IDENTIFIER}"
    if element["type"] == "button":
        yield from _button(element)
    if element["type"] == "plain_text_input":
        yield from _input_length(element)
    yield from input_problems(element)
    if element["type"] == "overflow" and not 1 <= len(element.get("options") or []) <= 5:
        yield "overflow needs 1 to 5 options"
    if len(element.get("options") or []) > 100 or len(element.get("option_groups") or []) > 100:
        yield "no more than 100 options"
    for option in element.get("options") or []:
        yield from _option(option)
    if element.get("placeholder") is not None:
        yield from _text(element["placeholder"], 150, kinds=("plain_text",))
    if element.get("confirm") is not None:
        yield from _confirm(element["confirm"])


def _input_length(element: Node) -> Iterator[str]:
    least, most = element.get("min_length", 0), element.get("max_length", INPUT_LENGTH)
    if not (isinstance(least, int) and isinstance(most, int) and 0 <= least <= most <= INPUT_LENGTH and most):
        yield f"min_length and max_length must be within 0 and {INPUT_LENGTH}"


def _button(button: Node) -> Iterator[str]:
    yield from _text(button.get("text"), BUTTON_TEXT, kinds=("plain_text",))
    if len(str(button.get("value") or "")) > BUTTON_VALUE:
        yield f"value longer than {BUTTON_VALUE}"
    if len(str(button.get("url") or "")) > URL:
        yield f"url longer than {URL}"
    if button.get("style") not in (None, "primary", "danger"):
        yield "style must be primary or danger"


def _option(option: Any) -> Iterator[str]:
    if not isinstance(option, dict):
        yield "an option must be an object"
        return
    yield from _text(option.get("text"), OPTION_TEXT)
    if not 1 <= len(str(option.get("value") or "")) <= OPTION_VALUE:
        yield f"an option's value must be 1 to {OPTION_VALUE} characters"


def _confirm(confirm: Any) -> Iterator[str]:
    if not isinstance(confirm, dict):
        yield "confirm must be an object"
        return
    yield from _text(confirm.get("title"), 100, kinds=("plain_text",))
    yield from _text(confirm.get("text"), 300)
    for name in ("confirm", "deny"):
        if confirm.get(name) is not None:
            yield from _text(confirm[name], 30, kinds=("plain_text",))
