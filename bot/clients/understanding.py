"""Pure: what a client's mail asks. Numbers of orders and a handful of questions; everything else is a person's."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.conversations.keywords import folded

LONGEST = 20_000
MOST_NUMBERS = 200


class About(StrEnum):
    """A question about a whole day."""

    SUMMARY = "summary"
    FAILED = "failed"
    LATE = "late"
    FOLLOWED = "followed"


@dataclass(frozen=True)
class Question:
    named: tuple[str, ...] = ()
    """Numbers that can be nothing but an order's: where we know none such, the client is told so."""
    perhaps: tuple[str, ...] = ()
    """Words that may be a number of a stop; where we know none such, they are just words."""
    about: tuple[About, ...] = ()
    day: date | None = None
    wants_more: bool = False
    """It says something that is no question about where things stand: a person is to read it."""
    is_thanks: bool = False
    """It says nothing that wants an answer."""
    language: str | None = None
    """None: it does not show."""


_TOKEN = re.compile(r"(?<![\w@./+-])#?([A-Za-z0-9](?:[A-Za-z0-9_/-]{0,38}[A-Za-z0-9])?)(?![\w@])")
_PHONE = re.compile(r"\+\d[\d ().-]{6,}\d|\(\d{2,4}\)[\d .-]{5,}\d|\b\d{3}[-.]\d{3}[-.]\d{4}\b")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+")
_ISO_DAY = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_NO_NUMBER = re.compile(
    r"\d{1,2}(?:[ap]m|st|nd|rd|th|h|hrs?|min|kg|lb|lbs|x|k)|\d{1,4}(?:/\d{1,2}){1,2}|20\d\d-\d\d-\d\d|[a-z]{1,2}\d",
    re.IGNORECASE,
)
"""Times, dates, weights: never an order."""
_NAMES_AN_ORDER = re.compile(
    r"\b(?:orders?|parcels?|packages?|tracking|shipments?|stops?|deliver(?:y|ies)|status|number|no|ref(?:erence)?|po"
    r"|where|about|pedidos?|ordenes|orden|paquetes?|envios?|entregas?|estado|numeros?|guias?|rastreo|donde)\b"
)

_ABOUT = {
    About.SUMMARY: r"\b(?:summary|overview|recap|resumen|how (?:are|is|was|did|were) (?:we|today|it|the day|yesterday)"
    r"|como (?:vamos|va|fue|nos fue))\b",
    About.FOLLOWED: r"\b(?:re ?deliver(?:y|ies|ed)|second (?:try|tries|attempts?)|re ?attempts?|follow(?:ed)? ?ups?"
    r"|reentregas?|segundos? intentos?|seguimientos?|reintentos?)\b",
    About.FAILED: r"\b(?:fail(?:ed|s|ures?)?|not delivered|undelivered|could not (?:be )?deliver(?:ed)?"
    r"|fallid[ao]s?|fallaron|fallo|fallan|no se entreg(?:o|aron)|sin entregar)\b",
    About.LATE: r"\b(?:late|delayed|overdue|missed|breach(?:es|ed)?|tarde|retrasad[ao]s?|retrasos?|atrasad[ao]s?"
    r"|fuera de (?:su )?horario)\b",
}
_ASKS = re.compile(
    r"\b(?:status|where|when|which|what|how|any|show|list|eta|delivered|arrived|out for delivery|update|news|still"
    r"|check|summary|estado|donde|cuando|cuales?|que|como|hay|llego|llegaron|entreg\w+|lista|novedades|resumen)\b"
    r"|\?"
)
_WANTS_DONE = re.compile(
    r"\b(?:re ?schedul\w*|cancel\w*|chang\w+|mov(?:e|ing) |redirect\w*|re ?rout\w*|send (?:it|them|back)"
    r"|return (?:it|them|to)|hold|stop (?:it|the|delivering)|refund\w*|compensat\w*|complain\w*|call (?:me|us)"
    r"|invoice\w*|claim\w*|urgent\w*|damage\w*|broken|missing|stolen|angry|unacceptable|cambi\w+|muev\w+|mover|cancel\w+|reprogram\w*|devuelv\w+"
    r"|devolver|reembols\w*|reclam\w*|factur\w*|llam[ae]\w*|urgente|danad\w+|robad\w+|inaceptable|detener|retener)\b"
)
_SPANISH = re.compile(
    r"\b(?:el|la|los|las|de|del|por favor|hola|buen[oa]s|gracias|cual(?:es)?|que|donde|cuando|como|estado|pedidos?"
    r"|paquetes?|hoy|ayer|entregas?|envios?|resumen|fallaron|fallid[ao]s?|necesito|esta|estan|hay|mi|mis)\b"
)
_ENGLISH = re.compile(
    r"\b(?:the|of|and|please|hi|hello|thanks|which|what|where|when|how|status|orders?|today|yesterday|deliver\w*"
    r"|summary|failed|late|need|is|are|any|my|our)\b"
)
_FEW_WORDS = 6
_POLITE = re.compile(
    r"(?:(?:ok(?:ay)?|thanks?(?: you)?(?: very| so)?(?: much)?|thx|great|perfect|got it|noted|many"
    r"|gracias|muchas|mil|listo|perfecto|de acuerdo|recibido|understood|good|bien|muy) ?)+"
)


def read_question(text: str, today: date) -> Question:
    """`today` is the operator's local day."""
    plain = _ADDRESS.sub(" ", _PHONE.sub(" ", text[:LONGEST]))
    named, perhaps = _numbers(plain)
    words = folded(_without(plain, named))
    about = tuple(kind for kind, pattern in _ABOUT.items() if re.search(pattern, words))
    asks = bool(_ASKS.search(words)) or "?" in plain or len(words.split()) <= _FEW_WORDS
    return Question(
        named=named,
        perhaps=perhaps,
        about=about,
        day=_day(plain, words, today),
        wants_more=bool(_WANTS_DONE.search(words)) or not asks,
        is_thanks=_POLITE.fullmatch(words) is not None and not named,
        language=_language(words),
    )


def _numbers(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is surely a number of an order, and what may be one; each once, as written first."""
    named: dict[str, str] = {}
    perhaps: dict[str, str] = {}
    for line in text.splitlines():
        speaks_of_orders = _is_about_orders(line)
        for match in _TOKEN.finditer(line):
            token = match.group(1)
            if _NO_NUMBER.fullmatch(token) or len(token) < 3:
                continue
            kind = named if _is_number(token, speaks_of_orders) else perhaps
            if kind is named or len(token) >= 4 or any(map(str.isdigit, token)):
                kind.setdefault(token.lower(), token)
    maybe = tuple(token for key, token in perhaps.items() if key not in named)
    return tuple(named.values())[:MOST_NUMBERS], maybe[:MOST_NUMBERS]


def _is_about_orders(line: str) -> bool:
    """It says so, or holds nothing but a number."""
    is_bare = len(line.strip(" -*,;.#\t").split()) == 1
    return is_bare or "#" in line or bool(_NAMES_AN_ORDER.search(folded(line)))


def _is_number(token: str, speaks_of_orders: bool) -> bool:
    digits = sum(map(str.isdigit, token))
    if not digits:
        return False
    if digits == len(token):
        return speaks_of_orders and digits >= 3
    return len(token) >= 5 or (speaks_of_orders and digits >= 1)


def _without(text: str, numbers: tuple[str, ...]) -> str:
    for number in numbers:
        text = text.replace(number, " ")
    return text


def _day(text: str, words: str, today: date) -> date | None:
    if found := _ISO_DAY.search(text):
        try:
            return date(*(int(part) for part in found.groups()))
        except ValueError:
            return None
    if re.search(r"\b(?:yesterday|ayer)\b", words):
        return today - timedelta(days=1)
    return today if re.search(r"\b(?:today|hoy)\b", words) else None


def _language(words: str) -> str | None:
    spanish, english = len(_SPANISH.findall(words)), len(_ENGLISH.findall(words))
    if spanish == english:
        return None
    return "es" if spanish > english else "en"
