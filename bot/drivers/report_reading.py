"""Reads from a driver's text that a delivery failed, why, and which stop it means. Pure; English and Spanish."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from bot.conversations.keywords import folded
from bot.drivers.reading import cause_in, clear_of_times
from connectors.base import FailureReason

AT_THE_DOOR = frozenset(
    {
        FailureReason.RECIPIENT_UNAVAILABLE,
        FailureReason.REFUSED,
        FailureReason.DAMAGED,
        FailureReason.ADDRESS_ISSUE,
    }
)
"""Who says one of these has tried to deliver; a locked gate or a flat tire may just take longer."""

WHY = {
    "1": FailureReason.RECIPIENT_UNAVAILABLE,
    "2": FailureReason.ACCESS_ISSUE,
    "3": FailureReason.ADDRESS_ISSUE,
    "4": FailureReason.REFUSED,
    "5": FailureReason.DAMAGED,
}
"""As the question "why not?" offers them."""

_FAILED = re.compile(
    r"\b(?:(?:could ?not|couldnt|can ?not|cant|unable to|didnt|did not|wasnt able to|not able to) "
    r"(?:deliver|drop|leave it|make the delivery|complete)|couldnt get in|could not get in|not delivered|undelivered|"
    r"undeliverable|failed|no delivery|delivery failed|attempted|no access|missed delivery|"
    r"no (?:se )?(?:pude|pudo|puedo) (?:entregar|dejar)\w*|no (?:pude|pudo) entrar|no (?:lo |la |se )?entreg\w+|"
    r"sin entregar|entrega fallida|fallida|fallo la entrega|sin acceso)\b"
)
_DELIVERED = re.compile(
    r"\b(?:delivered|left (?:it|them|at|with|on|by|in)|dropped|handed|gave|signed|deje|entregado|entregue)\b"
    r"|(?<!\bnot )\b(?:leaving|(?:ill|will|going to|gonna) leave) (?:it|them|at|with|on|by|in|behind)\b"
    r"|(?<!\bno )\b(?:(?:lo|la|los|las) dejo|voy a dejar\w*)\b"
)
_MAYBE = re.compile(r"\b(?:if|should i|what if|si no|puedo|can i|que hago|hago que)\b")
"""A question of what to do is for a person."""


@dataclass(frozen=True)
class Failed:
    """A delivery failed, as a text tells it."""

    reason: FailureReason | None


def read_failure(text: str) -> Failed | None:
    """None where the text tells of no failed delivery: `gate locked, 10 min` is a delay."""
    plain = folded(text)
    if not plain or text.rstrip().endswith("?") or _MAYBE.search(plain):
        return None
    cause = cause_in(plain)
    if _DELIVERED.search(_FAILED.sub(" ", plain)):
        return None
    if _FAILED.search(plain):
        return Failed(
            cause or (FailureReason.ACCESS_ISSUE if re.search(r"acces|entrar|get in", plain) else None)
        )
    return Failed(cause) if cause in AT_THE_DOOR else None


def read_why(text: str) -> FailureReason | None:
    """The answer to "why not?": a number of it, or words."""
    plain = folded(text)
    if (first := plain.split(" ")[0]) in WHY:
        return WHY[first]
    return cause_in(plain)


def without_places(text: str, stops: Sequence["Nameable"]) -> str:
    """Folded, without two words or more that stand so in the address of a stop: a street's name tells no reason."""
    plain = folded(text)
    for stop in stops:
        own = folded(stop.address_line.split(",")[0]).split()
        runs = ((start, end) for start in range(len(own)) for end in range(len(own), start + 1, -1))
        for start, end in runs:
            plain = re.sub(rf"\b{re.escape(' '.join(own[start:end]))}\b", " ", plain)
    return " ".join(plain.split())


# --- which stop ---------------------------------------------------------------------------------


class Standing(StrEnum):
    AT_DOOR = "at_door"
    """The van is there."""
    ASKED = "asked"
    """The driver was just asked about it."""
    FAILED_LATELY = "failed_lately"
    """Marked as failed in the driver's own app a moment ago."""
    NEXT = "next"
    LATER = "later"
    OVER = "over"
    """Nothing of it can fail any more, or it failed long ago."""


@dataclass(frozen=True)
class Nameable:
    """A stop of the driver's run, as a text may name it."""

    stop_id: UUID
    number: int
    """Place in the run, the first is 1."""
    address_line: str
    standing: Standing


@dataclass(frozen=True)
class Meant:
    stops: list[Nameable]
    is_named: bool


HOUSE_AND_STREET = 3
_NUMBER = re.compile(r"\b\d{1,5}\b")
_NUMBERED = re.compile(
    r"\b(?:stop|parada|number|numero|num|no) ?(?:number |numero |no )?(?P<number>\d{1,3})\b"
)
_MINOR = frozenset(
    """
    st street ave avenue av rd road dr drive ln lane ct court pl place blvd calle avenida carrera apt apartment suite
    unit floor piso depto the and from for with this that not north south east west new stop parada no
    home house door gate lobby office back front side box van car truck
    """.split()  # noqa: SIM905
)
"""Words of an address that a text may hold without meaning it."""


def stops_meant(text: str, stops: Sequence[Nameable]) -> Meant:
    """The stops that fit best what the text names; where it names none, the one at which the driver must be.

    More than one: the driver is to be asked, unless all of them are one address. A bare number may be a stop's
    place or a house's.
    """
    able = [stop for stop in stops if stop.standing is not Standing.OVER]
    plain = clear_of_times(folded(text))
    named = _named(plain, able, least=1)
    if named or _NUMBER.search(plain):
        # A number that is none of the run's: rather ask than take the stop nearby.
        return Meant(named, is_named=bool(named))
    return Meant(where_they_are(able), is_named=False)


def stop_named(text: str, stops: Sequence[Nameable]) -> Nameable | None:
    """The one that the text names beyond doubt, by its place in the run or by house and street."""
    able = [stop for stop in stops if stop.standing is not Standing.OVER]
    named = _named(clear_of_times(folded(text)), able, least=HOUSE_AND_STREET)
    return named[0] if len(named) == 1 else None


def where_they_are(stops: Sequence[Nameable]) -> list[Nameable]:
    for standing in (Standing.AT_DOOR, Standing.ASKED, Standing.FAILED_LATELY, Standing.NEXT):
        found = [stop for stop in stops if stop.standing is standing]
        if found:
            return found
    return []


def option_meant(text: str, options: Sequence[Nameable]) -> Nameable | None:
    """The answer to "which stop? 1) ... 2) ..."."""
    plain = folded(text)
    if plain.isdigit() and 1 <= int(plain) <= len(options):
        return options[int(plain) - 1]
    scored = sorted(((_score(plain, stop), place) for place, stop in enumerate(options)), reverse=True)
    if not scored or not scored[0][0] or (len(scored) > 1 and scored[0][0] == scored[1][0]):
        return None
    return options[scored[0][1]]


def _score(plain: str, stop: Nameable) -> int:
    """`HOUSE_AND_STREET` and more: both; 2: street; 1: a number that is the house's or the stop's place."""
    said = set(plain.split())
    own = folded(stop.address_line.split(",")[0]).split()
    house = own[0] if own and own[0][0].isdigit() else ""
    rest = [word for word in own if word != house and word not in _MINOR]
    street = any(word in said for word in rest if len(word) > 2 and not word.isdigit())
    units = sum(word in said for word in rest if len(word) <= 2 or any(map(str.isdigit, word)))
    has_house = bool(house) and house in said
    if street:
        return HOUSE_AND_STREET + units if has_house else 2
    return 1 if has_house or str(stop.number) in said else 0


def _named(plain: str, stops: Sequence[Nameable], *, least: int) -> list[Nameable]:
    if numbered := _NUMBERED.search(plain):
        found = [stop for stop in stops if stop.number == int(numbered["number"])]
        if found:
            return found
    scored = [(_score(plain, stop), stop) for stop in stops]
    best = max((score for score, _ in scored), default=0)
    return [stop for score, stop in scored if score == best] if best >= least else []
