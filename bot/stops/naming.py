"""What a text says about which of several stops it means: client, street, "the other one", "both". Pure."""

import re
import unicodedata
from collections.abc import Sequence

from bot.stops.models import StopRecord

_OTHER_ONE = re.compile(
    r"\bthe other(?! (?:day|date|time|week|window|morning|afternoon|evening|night)\b)"
    r"|\b(?:an)?other (?:one|package|parcel|delivery|order|box)\b"
    r"|\bla otra(?! (?:semana|fecha|hora|vez|manana|tarde|noche)\b)|\bel otro(?! (?:dia|horario|lunes|fin)\b)"
    r"|\botr[ao] (?:paquete|pedido|entrega|envio|caja)\b"
)
_SEVERAL = re.compile(
    r"\b(?:both|all of (?:them|it)|all my|packages|parcels|deliveries|orders"
    r"|ambos|ambas|(?:los|las) dos|todos|todas|paquetes|pedidos|entregas|envios)\b"
)
_COMMON = frozenset(
    """
    street avenue road drive lane court calle avenida carrera apartment apt suite unit floor piso depto the and from
    for with this that your you not are was can will now new one two day may way out get got buy shop store market
    order orders parcel package packages box delivery deliveries express home house door gate garden park front back
    side next best north south east west main first last today morning evening late time right left center centre
    del los las una uno por para con que hoy hora casa puerta tienda paquete pedido entrega nuevo nueva norte sur
    inc llc ltd group company
    """.split()  # noqa: SIM905
)
"""Words that a text may hold without meaning the client or the street of that name."""


def says_other_one(text: str) -> bool:
    """`the other one`, `la otra`: not the stop that was just talked about. `the other day` is a day."""
    return _OTHER_ONE.search(folded(text)) is not None


def says_several(text: str) -> bool:
    """`both`, `my packages`: more than the one that was just talked about."""
    return _SEVERAL.search(folded(text)) is not None


def stops_by_name(text: str, stops: Sequence[StopRecord]) -> list[StopRecord]:
    """The stops whose client or street the text names, by words that not all of them share; empty if none."""
    said = set(_words(text))
    telling = [_own_words(stop) for stop in stops]
    shared = set.intersection(*telling) if telling else set()
    return [stop for stop, words in zip(stops, telling, strict=True) if said & (words - shared)]


def folded(text: str) -> str:
    """Lower case, no accents, one space between words."""
    bare = unicodedata.normalize("NFD", text.casefold())
    return " ".join("".join(mark for mark in bare if not unicodedata.combining(mark)).split())


def _own_words(stop: StopRecord) -> set[str]:
    return set(_words(f"{stop.client} {stop.address_line}")) - _COMMON


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]{3,}", folded(text))
