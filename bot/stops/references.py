"""Tracking and order numbers in what people write: which ones are offered, which known ones are named. Pure."""

import re
from collections.abc import Iterable, Sequence

from bot.stops.models import StopRecord
from bot.stops.naming import folded

MOST_OFFERED = 3
"""A text that holds more numbers than this is guessing."""
SHORTEST_BARE = 6
"""Digits of a known number that may stand anywhere; a shorter one must be offered."""

_SHAPE = r"(?:(?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9-]{4,22}[A-Za-z0-9]|[A-Fa-f]{8})"
"""At least six characters with a digit among them, or the eight letters that a hexadecimal short id can be."""
_GROUPS = r"\d{3,6}(?: \d{2,6}){1,4}"
"""`7718 2240 19`: one number, dictated."""
_BARE = re.compile(rf"(?<![\w-])(?:{_GROUPS}|{_SHAPE})(?![\w-])")

_NAME = r"(?:track\w*|order|pedido|seguimiento|rastreo|gu[ií]a|ref(?:erenc\w*)?)"
_LINK = r"(?:[\s:#.,]+(?:number|num|no|nr|n[uú]mero|id|code|c[oó]digo|is|es|de|el|the))*[\s:#.,]*"
_NAMED = re.compile(
    rf"\b{_NAME}{_LINK}(?<![\w-])({_GROUPS}|(?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9-]{{2,22}}[A-Za-z0-9]"
    rf"|[A-Fa-f]{{8}})(?![\w:-])",
    re.IGNORECASE,
)
"""A number that is called one may be shorter: `pedido 6021`."""

_POINTED_AT = re.compile(
    rf"(?:\b(?:{_NAME}|number|num|n[uú]mero|parcel|package|paquete|shipment|env[ií]o|status|about|sobre|where|"
    r"d[oó]nde)\b[^\d\n]{0,25}|\b(?:est[ea]|aqu[ií]|this|here)(?: (?:es|est[aá]|is|it is|one))?[\s:]{1,3}"
    r"|\bno\.? ?|#)$",
    re.IGNORECASE,
)
_HEXADECIMAL = re.compile(r"(?=.*\d)(?=.*[a-f])[\da-f]{8}", re.IGNORECASE)
"""How the platforms' short ids look: no word does, and no amount."""
_POINTED_BACK_AT = re.compile(
    rf"\W{{1,3}}(?:(?:is|es|it'?s)\s+)?(?:my|the|mi|el)\s+(?:{_NAME}|parcel|package|paquete|env[ií]o)\b",
    re.IGNORECASE,
)
_OTHER_WORD = re.compile(
    r"\b(?:call|phone|cell|mobile|text me|whatsapp|tel[eé]fono|tel|cel(?:ular)?|m[oó]vil|ll[aá]m\w*"
    r"|apt|apartment|unit|suite|depto|code|c[oó]digo|clave|pin|zip|postcode|gate|buzzer|costs?|price|cuesta)"
    r"\b[^\d\n]{0,25}$",
    re.IGNORECASE,
)
"""What the number right after it is instead."""
_OTHER_SHAPE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{2,4}"
    r"|(?:1-)?\d{3}-\d{3}-\d{4}|\d{3}-\d{4}|\d{3} \d{3} \d{4}|\d{3}(?: \d{3}){2}|\d{3}(?: \d{2}){3}"
    r"|\d{5}-\d{4}"
    r"|\d{1,2}(?:\d\d)?(?:[ap]m|h)?-\d{1,2}(?:\d\d)?(?:[ap]m|h)?|\d{3,4}[ap]m|\d{1,2}(?:st|nd|rd|th)-\w+",
    re.IGNORECASE,
)
"""Dates, phones, ZIP+4 codes, times."""
_STREET = re.compile(
    r" (?:\w+\.? ){1,3}(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|court|ct|way|place)\b",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(r" ?(?:usd|eur|dollars?|euros?|pesos|mxn|bucks|%|€|\$)", re.IGNORECASE)


def offered_numbers(text: str, *, not_phone: str = "") -> list[str]:
    """Numbers that a text offers on purpose, in lower case, without doubles, three at most.

    It offers one by calling it a number, by pointing at it, or by being little else. Times, dates, phones,
    prices, codes and street numbers are none; `not_phone` is the sender's own number.
    """
    own_digits = re.sub(r"\D", "", not_phone)
    named = {match.start(1): match.group(1) for match in _NAMED.finditer(text)}
    bare = {match.start(): match.group() for match in _BARE.finditer(text)}
    pointed_at = {start: number for start, number in bare.items() if _is_pointed_at(text, start, number)}
    offered = [
        normal(number)
        for start, number in sorted((pointed_at | named).items())
        if not _is_something_else(text, start, number, own_digits)
    ]
    return list(dict.fromkeys(offered))[:MOST_OFFERED]


def named_stops(text: str, stops: Iterable[StopRecord]) -> list[StopRecord]:
    """The stops whose own number, tracking or order, stands in the text, however it is spelt.

    Known, so it need not be pointed at.
    """
    tokens = re.findall(r"[a-z0-9]+", folded(text))
    offered = {_bare(number) for number in offered_numbers(text)}
    return [
        stop
        for stop in stops
        if any(_is_named(_bare(number), tokens, offered) for number in (stop.tracking, stop.order_ref or ""))
    ]


def normal(number: str) -> str:
    """As numbers are looked up: lower case, groups joined."""
    return number.lower().replace(" ", "")


def _is_pointed_at(text: str, start: int, number: str) -> bool:
    before, after = text[:start], text[start + len(number) :]
    if _OTHER_WORD.search(before):
        return False
    # Nobody writes groups, or letters with digits, by the way: a few words may stand around such a number.
    is_mixed = not number.isdigit() and len(re.findall(r"\d", number)) >= 3
    is_telling = " " in number or is_mixed or _HEXADECIMAL.fullmatch(number) is not None
    is_alone = len(re.findall(r"\w+", f"{before} {after}")) <= (4 if is_telling else 1)
    return is_alone or bool(_POINTED_AT.search(before) or _POINTED_BACK_AT.match(after))


def _is_named(number: str, tokens: Sequence[str], offered: set[str]) -> bool:
    if len(number) < 4:
        return False
    if number.isdigit() and len(number) < SHORTEST_BARE:
        return number in offered
    return any(_stands_at(index, number, tokens) for index in range(len(tokens)))


def _stands_at(index: int, number: str, tokens: Sequence[str]) -> bool:
    for token in tokens[index:]:
        if not number.startswith(token):
            return False
        number = number.removeprefix(token)
        if not number:
            return True
    return False


def _is_something_else(text: str, start: int, number: str, own_digits: str) -> bool:
    before, after = text[:start], text[start + len(number) :]
    digits = re.sub(r"\D", "", number)
    return (
        _OTHER_SHAPE.fullmatch(number) is not None
        or (len(digits) >= 7 and own_digits.endswith(digits))
        or before.endswith(("+", "$", "€", "£", "("))
        or re.search(r"\(\d{3}\) ?$", before) is not None
        or _MONEY_AFTER.match(after) is not None
        or (digits == number and _STREET.match(after) is not None)
    )


def _bare(number: str) -> str:
    return re.sub(r"[^a-z0-9]", "", folded(number))
