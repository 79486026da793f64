"""What dispatchers type, as the plain text that goes out; and which messages are meant to go out at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.slack.payloads import MessageEnvelope
from connectors.slack.plain import plain_text
from connectors.slack.thread import Hindrance, ThreadReply, thread_reply


def text_part(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def rich(*elements: dict[str, Any], kind: str = "rich_text_section") -> list[dict[str, Any]]:
    """Shape: rich text block reference."""
    return [{"type": "rich_text", "elements": [{"type": kind, "elements": list(elements)}]}]


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("2 &lt; 3 &amp;&amp; 4 &gt; 1", "2 < 3 && 4 > 1"),
        ("&amp;lt; stays", "&lt; stays"),
        ("see <http://x|x>", "see x"),
        ("see <https://x.example/track>", "see https://x.example/track"),
        ("see <https://x.example/|x.example>", "see x.example"),
        ("see <https://x.example/a|the page>", "see the page (https://x.example/a)"),
        ("call <tel:+12125550100|+1 212 555 0100>", "call +1 212 555 0100"),
        ("call <tel:+12125550100>", "call +12125550100"),
        ("write to <mailto:a@b.example|a@b.example>", "write to a@b.example"),
        ("<@U0DANA0001> comes", "a dispatcher comes"),
        ("<@U0DANA0001|dana> comes", "dana comes"),
        ("<!subteam^S1|@oncall> knows", "oncall knows"),
        ("ask <#C0NORTH001|dispatch-north>", "ask dispatch-north"),
        ("<!date^1718048100^{time}|3:35 pm>", "3:35 pm"),
        ("a\u00a0b\tc\x07\r\n\n\n\nd  \n", "a b c\n\nd"),
    ],
)
def test_slacks_markup_becomes_what_was_typed(markup: str, plain: str) -> None:
    assert plain_text(markup) == plain


@pytest.mark.parametrize(
    ("blocks", "plain"),
    [
        (rich(text_part("the "), text_part("blue", bold=True), text_part(" door")), "the blue door"),
        (
            rich(text_part("see "), {"type": "link", "url": "http://x.example", "text": "x.example"}),
            "see x.example",
        ),
        (rich({"type": "user", "user_id": "U1"}, text_part(" comes")), "a dispatcher comes"),
        (rich({"type": "emoji", "name": "smile", "unicode": "1f604"}), "\U0001f604"),
        (rich(text_part("ok "), {"type": "emoji", "name": "our-own"}), "ok"),
        (rich(text_part("ok "), {"type": "emoji", "name": "x", "unicode": "ffffff"}), "ok"),
        (rich({"type": "broadcast", "range": "here"}), "everyone who is here"),
        (rich({"type": "made_up_later"}, text_part("words")), "words"),
    ],
)
def test_rich_text_becomes_words(blocks: list[dict[str, Any]], plain: str) -> None:
    assert plain_text("unused", blocks) == plain


def test_lists_keep_their_lines() -> None:
    items = [{"type": "rich_text_section", "elements": [text_part(word)]} for word in ("gate", "door")]
    section = {"type": "rich_text_section", "elements": [text_part("Please check:\n")]}
    listed = {"type": "rich_text_list", "style": "ordered", "elements": items}
    blocks = [{"type": "rich_text", "elements": [section, listed]}]
    assert plain_text("", blocks) == "Please check:\n1. gate\n2. door"


def test_unreadable_rich_text_falls_back_on_the_markup() -> None:
    assert plain_text("&gt; x", [{"type": "rich_text", "elements": [{"type": 5}]}]) == "> x"


@given(st.text(max_size=200))
def test_what_is_typed_without_formatting_comes_out_as_it_is(typed: str) -> None:
    escaped = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert plain_text(escaped) == plain_text("", rich(text_part(typed)))


# --- which messages -------------------------------------------------------------------------------


def message(text: str, blocks: list[dict[str, Any]] | None = None, **changes: Any) -> MessageEnvelope:
    """Shape: message event reference, a reply in a thread."""
    event = {
        "type": "message",
        "channel": "C0NORTH001",
        "user": "U0DANA0001",
        "text": text,
        "ts": "1718048100.000200",
        "thread_ts": "1718048000.000100",
        "parent_user_id": "U0DOORLINE",
        "blocks": blocks,
    }
    authorizations = [{"user_id": "U0DOORLINE", "is_bot": True}]
    return MessageEnvelope.model_validate(
        {"event_id": "Ev1", "event": event | changes, "authorizations": authorizations}
    )


@pytest.mark.parametrize(
    ("envelope", "words"),
    [
        (message("&gt;&gt; He is at the gate"), "He is at the gate"),
        (message("&gt;&gt;He is at the gate"), "He is at the gate"),
        (message("  &gt;&gt;\u00a0 two\nlines &gt;&gt; here"), "two\nlines >> here"),
        (message("&gt;&gt; *now*", rich(text_part(">> "), text_part("now", bold=True))), "now"),
        (message("&gt;&gt; hi", rich(text_part("hi"))), "hi"),
        (message("&gt;&gt; hi", subtype="thread_broadcast", parent_user_id=None), "hi"),
        (message("&gt;&gt; see <http://x|x>"), "see x"),
    ],
)
def test_a_message_that_begins_with_the_mark_is_for_the_recipient(
    envelope: MessageEnvelope, words: str
) -> None:
    assert thread_reply(envelope) == ThreadReply(
        channel="C0NORTH001",
        thread_ts="1718048000.000100",
        dispatcher="U0DANA0001",
        words=words,
        has_files=False,
        hindrance=None,
    )


@pytest.mark.parametrize(
    "envelope",
    [
        message("she sounds angry"),
        message("I wrote &gt;&gt; hello"),
        message("&gt; a quote"),
        message("&gt; &gt; a quote of a quote"),
        message("&gt;&gt;&gt; a quote over\nseveral lines"),
        message("`&gt;&gt; code`", rich(text_part(">> code", code=True))),
        message("```&gt;&gt; code```", rich(text_part(">> code"), kind="rich_text_preformatted")),
        message("• &gt;&gt; listed"),
        message(""),
        message("&gt;&gt; outside a thread", thread_ts=None),
        message("&gt;&gt; the root itself", thread_ts="1718048100.000200"),
        message("&gt;&gt; a thread of others", parent_user_id="U0OMAR0001"),
        message("&gt;&gt; ours", user="U0DOORLINE"),
        message("&gt;&gt; a bot's", bot_id="B0OTHER001"),
        message("&gt;&gt; a bot's", subtype="bot_message"),
        message("&gt;&gt; nobody's", user=None),
        message("&gt;&gt; edited", subtype="message_changed"),
        message("&gt;&gt; deleted", subtype="message_deleted"),
        message("&gt;&gt; /me", subtype="me_message"),
        message("&gt;&gt; replied", subtype="message_replied"),
    ],
)
def test_everything_else_is_a_note(envelope: MessageEnvelope) -> None:
    assert thread_reply(envelope) is None


@pytest.mark.parametrize(
    ("envelope", "hindrance"),
    [
        (message("&gt;&gt;"), Hindrance.NO_WORDS),
        (message("&gt;&gt; \u00a0 "), Hindrance.NO_WORDS),
        (message("&gt;&gt;", subtype="file_share", files=[{"id": "F1"}]), Hindrance.NO_WORDS),
        (message("&gt;&gt; " + "x" * 1001), Hindrance.TOO_LONG),
        (message("&gt;&gt; x", rich(text_part("> x"), kind="rich_text_quote")), Hindrance.QUOTED),
    ],
)
def test_what_cannot_be_sent_says_why(envelope: MessageEnvelope, hindrance: Hindrance) -> None:
    reply = thread_reply(envelope)
    assert reply is not None
    assert reply.hindrance is hindrance


def test_a_thousand_characters_still_go() -> None:
    reply = thread_reply(message("&gt;&gt; " + "x" * 1000))
    assert reply is not None
    assert (reply.hindrance, len(reply.words)) == (None, 1000)
