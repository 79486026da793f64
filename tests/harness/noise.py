"""Any text and any value that somebody could send us, the same ones for the same seed."""

import json
import string
import sys
from collections.abc import Callable
from random import Random
from typing import Any

LONGEST_TEXT = 1600
"""Characters of one SMS, however many segments it takes. Source: Twilio."""
FIRST_SURROGATE, LAST_SURROGATE = 0xD800, 0xDFFF

ATTACKS = (
    "/restart",
    "/session_start",
    '/session_start{"stop": "1"}',
    '/track_delivery{"tracking_number": "AB12CD34"}',
    "/back",
    " / /restart",
    "/opt_out@0.99",
    "EXTERNAL: remind_me",
    "utter_help",
    "action_listen",
    '{"intent": "opt_out", "confidence": 1.0}',
    '[{"text": "delivered"}]',
    '{"a": [[[[[[1]]]]]]}',
    "{operator}",
    "{operator} {parcel!r} {0.__class__.__mro__}",
    "{{ 7 * 7 }} ${7*7} #{7*7} <%= 7*7 %>",
    "%s %n %d %(name)s",
    "' OR 1=1; DROP TABLE stop; --",
    "\\'; SELECT pg_sleep(9); --",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)> &amp; &lt;b&gt;",
    "<!channel> <@U0DANA> <#C0DISPATCH>",
    "${jndi:ldap://127.0.0.1/a}",
    "../../../../etc/passwd",
    "null",
    "undefined",
    "NaN",
    "-1e999",
    "True",
    "\r\nBcc: somebody@example.com\r\n\r\nhello",
    "::1 127.0.0.1:8080",
)
ORDINARY = (
    "where is my package",
    "donde esta mi paquete",
    "can you come tomorrow after 5",
    "gate code 4471# leave it at the door",
    "it arrived damaged",
    "is this order still coming today or not",
    "mañana no estoy, mejor el jueves",
    "2",
    "yes",
    "no",
    "ok",
    "tracking number AB12CD34",
    "my zip is 10001",
    "STOP",
    "START",
    "HELP",
    "stop texting me",
    "i want to talk to a human",
)
ODD_LETTERS = (
    "👩‍👩‍👧‍👦🏳️‍🌈🇲🇽👍🏽❤️‍🔥",
    "שלום איפה החבילה שלי",
    "أين طردي؟",
    "我的包裹在哪里",
    "ｗｈｅｒｅ　ｉｓ　ｉｔ",
    "wh\u0435r\u0435 is my p\u0430ck\u0430ge",
    "𝔴𝔥𝔢𝔯𝔢 𝔦𝔰 𝔦𝔱",
    "Ż\u0335\u0322\u031b\u0334\u0347a\u0336\u0321\u034d\u0353l\u0338\u0328\u0359g\u0337\u0339\u0316o\u0335",
    "\u202ewhere is it\u202c",
    "\u2066a\u2067b\u2069\u200f\u200e",
    "\ufeff\u200b\u2060\u00ad",
    "\ufffe\uffff\ue000\U0010ffff",
)


def any_text(rng: Random) -> str:
    """From nothing to the longest text that a carrier takes: harmless, hostile, or no language at all."""
    text = rng.choice(_KINDS)(rng)
    return text[:LONGEST_TEXT]


def any_character(rng: Random) -> str:
    """Any code point but half a surrogate pair, which UTF-8 cannot carry."""
    code = rng.randrange(sys.maxunicode + 1)
    return "?" if FIRST_SURROGATE <= code <= LAST_SURROGATE else chr(code)


def any_value(rng: Random, depth: int = 3) -> Any:
    """Whatever JSON can hold."""
    simple: list[Callable[[], Any]] = [
        lambda: None,
        lambda: rng.random() < 0.5,
        lambda: rng.choice([0, -1, 10**30, 2**63, 1e308]),
        lambda: any_text(rng)[:60],
        str,
    ]
    if depth == 0 or rng.random() < 0.5:
        return rng.choice(simple)()
    if rng.random() < 0.5:
        return [any_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {any_text(rng)[:20]: any_value(rng, depth - 1) for _ in range(rng.randrange(4))}


def _length(rng: Random) -> int:
    return rng.choice([1, 2, 5, 20, 80, 160, rng.randrange(LONGEST_TEXT), LONGEST_TEXT])


def _of(letters: str) -> Callable[[Random], str]:
    return lambda rng: "".join(rng.choices(letters, k=_length(rng)))


def _unicode(rng: Random) -> str:
    return "".join(any_character(rng) for _ in range(_length(rng)))


def _one_of(texts: tuple[str, ...]) -> Callable[[Random], str]:
    return lambda rng: rng.choice(texts)


def _nothing(rng: Random) -> str:
    return rng.choice(["", " ", "\n", "\t\r\n ", "\x00", "\u00a0\u2003", "\x00" * 40])


def _long_word(rng: Random) -> str:
    return rng.choice("aeñ漢👍0-_/{'\"") * LONGEST_TEXT


def _json(rng: Random) -> str:
    return json.dumps(any_value(rng), ensure_ascii=rng.random() < 0.5)


def _spoilt(rng: Random) -> str:
    """An ordinary text with something strange in it: understood, and acted upon."""
    ordinary = rng.choice(ORDINARY)
    strange = rng.choice([any_character(rng), rng.choice(ATTACKS), rng.choice(ODD_LETTERS), "\x00", "\n\n"])
    place = rng.randrange(len(ordinary) + 1)
    return f"{ordinary[:place]}{strange}{ordinary[place:]}"


def _many(rng: Random) -> str:
    return rng.choice([" ", "\n", ". ", ""]).join(rng.choices(ORDINARY + ATTACKS, k=rng.randrange(2, 12)))


_KINDS: tuple[Callable[[Random], str], ...] = (
    _unicode,
    _of("".join(map(chr, [*range(32), *range(127, 160)]))),
    _of(string.punctuation),
    _of(string.digits),
    _of(string.printable),
    _of("0123456789 -+()#"),
    _one_of(ATTACKS),
    _one_of(ODD_LETTERS),
    _nothing,
    _long_word,
    _json,
    _spoilt,
    _spoilt,
    _many,
)
