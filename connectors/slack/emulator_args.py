"""What a Web API call brings along, in whichever of the three wire shapes, as drafts and pages."""

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from connectors.slack.emulator_blocks import MESSAGE_BLOCKS, MESSAGE_TEXT, block_problems, length_of
from connectors.slack.emulator_state import Draft, Message, SlackError, decode_cursor, encode_cursor

POSTED_TEXT_LIMIT = 40_000
"""Longer text is cut. Source: chat.postMessage."""


class Args:
    """A method's arguments, in whichever of the three wire shapes they came."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        if isinstance(value, dict | list):
            raise SlackError("invalid_arguments")
        return str(value)

    def flag(self, name: str) -> bool:
        return str(self._values.get(name, "0")).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        try:
            return int(self._values.get(name, default))
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments") from None

    def structure(self, name: str, error: str) -> Any:
        """Objects and lists come as they are in a JSON body, and as JSON text in forms and queries."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


async def read_args(request: Request) -> tuple[Args, str | None]:
    """Arguments from query and body, and the token, wherever it stands."""
    values: dict[str, Any] = dict(request.query_params)
    if "json" in request.headers.get("content-type", ""):
        values |= _json_object(await request.body())
    else:
        values |= dict(await request.form())
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else values.get("token")
    return Args(values), token if isinstance(token, str) and token else None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


# --- arguments to drafts, lists to pages ------------------------------------------------------------


def read_draft(args: Args) -> Draft:
    blocks = args.structure("blocks", "invalid_blocks_format")
    attachments = args.structure("attachments", "invalid_attachments")
    if blocks is not None:
        check_blocks(blocks, MESSAGE_BLOCKS)
        if length_of(blocks) > MESSAGE_TEXT:
            raise SlackError("msg_blocks_too_long")
    text = args.text("text")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    metadata = args.structure("metadata", "invalid_metadata_format")
    if metadata and not _is_metadata(metadata):
        raise SlackError("invalid_metadata_format")
    thread_ts = args.text("thread_ts") or None
    return Draft(text[:POSTED_TEXT_LIMIT], blocks, attachments, metadata, thread_ts)


def _is_metadata(metadata: Any) -> bool:
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    )


def check_blocks(blocks: Any, most: int) -> None:
    problems = block_problems(blocks, most)
    if problems:
        raise SlackError("invalid_blocks", response_metadata={"messages": problems})


def between(messages: list[Message], args: Args) -> list[Message]:
    """Those after `oldest` and before `latest`; the ends count only with `inclusive`."""
    oldest, latest = args.text("oldest", "0") or "0", args.text("latest") or "9999999999"
    for name, ts in (("oldest", oldest), ("latest", latest)):
        if not re.fullmatch(r"\d{1,10}(\.\d{1,6})?", ts):
            raise SlackError(f"invalid_ts_{name}")
    low, high = float(oldest), float(latest)
    if args.flag("inclusive"):
        return [m for m in messages if low <= float(m["ts"]) <= high]
    return [m for m in messages if low < float(m["ts"]) < high]


def page_of(items: list[Any], args: Args, default: int) -> tuple[list[Any], dict[str, Any]]:
    start = decode_cursor(args.text("cursor"))
    limit = args.number("limit", default)
    if not 1 <= limit <= 1000:
        raise SlackError("invalid_limit")
    has_more = start + limit < len(items)
    cursor = encode_cursor(start + limit) if has_more else ""
    return items[start : start + limit], {
        "has_more": has_more,
        "response_metadata": {"next_cursor": cursor},
    }
