"""Reads what a text leaves for the driver: a code, a place, somebody to give it to. Pure; English and Spanish.

The line for the driver is the person's own text, whole. What is read out of it only serves the reply.
"""

import re
from dataclasses import dataclass, field

from bot.conversations.privacy import DOTS, masked

LONGEST_LINE = 300
LONGEST_PLACE = 60


@dataclass(frozen=True)
class Note:
    line: str
    """One line, codes in full; empty when the text only announces instructions."""
    has_code: bool = False
    place: str = ""
    """`behind the planter`: the person's own words, free of codes."""
    person: str = ""
    """`my neighbor Ana in 4C`."""
    where: str = field(default="", compare=False)
    """Either of the two as it is said back: `behind the planter`, `with my neighbor Ana in 4C`."""
    code: str = field(default="", compare=False)
    """The code alone, where the text has exactly one: for platforms that keep codes in a place of their own."""


NOTHING = Note("")

_HERE_OR_THERE = re.compile(
    r"\b(?:(?:gate|door|access|entry|lobby|building|garage) )?(?:codes?|pin|passcode|password|combo|c[oó]digo|clave)"
    r"(?: (?:is|es|para|for|of|del?|the|la|el|gate|door|entry|entrar|puerta|port[oó]n))*[ :=#]*"
    r"(?P<code>(?=[a-z]*\d)(?:[a-z\d]{3,10}[#*]?|[a-z\d]{2}[#*]))(?![\w:])",
    re.IGNORECASE,
)
"""A code with letters in it, which the shared mask does not know."""

_CODE = re.compile(r"[#*]?[a-zA-Z\d]{2,10}[#*]?")

_OPENS = re.compile(
    r"\b(?P<code>[#*]?\d{3,8}[#*]?)(?= (?:to (?:get in|enter|open|come in)|opens?\b|gets you in|for the (?:gate|door|"
    r"entry|garage|lobby)|para (?:entrar|abrir|la puerta|el port[oó]n)|abre\b))",
    re.IGNORECASE,
)

_WHERE_EN = (
    r"behind|under|underneath|beneath|beside|inside|in|into|on|onto|at|by|near|around|between|against|outside|"
    r"next to|in front of|on top of|to the (?:left|right|side) of|over the|over by|with|w/?"
)
_WHERE_ES = (
    r"detr[aá]s|atr[aá]s|debajo|bajo|dentro|adentro|fuera|afuera|junto|al lado|enfrente|en frente|frente|encima|"
    r"sobre|entre|cerca|en|con|al|a la|a mi"
)
_PARCEL = (
    r"it|them|this|that|everything|(?:the|my|our|a) (?:package|packages|parcel|box|boxes|order|delivery|stuff|pkg)|"
    r"(?:el|la|mi|los|las) (?:paquetes?|cajas?|pedidos?|entregas?)"
)
_LEAVING = re.compile(
    rf"\b(?:leave|left|put|place|drop|set|hide|stash|stick|toss|deliver|give|"
    rf"d[eé]j[ae]\w*|pon(?:er|ga|gan)?(?:l[oae]s?)?|p[oó]ng\w+|coloque\w*|escond\w+|entreg(?:ue|ar|uen)\w*)"
    rf"(?: (?:{_PARCEL}))?(?: off| down)? (?P<place>(?:{_WHERE_EN}|{_WHERE_ES})\b.+)",
    re.IGNORECASE,
)

_THINGS = (
    r"porch|planters?|plants?|pots?|flower ?pots?|doors?|doorstep|garage|carport|gate|mail ?box|mail ?room|lobby|desk|"
    r"reception|bench|chair|table|mat|doormat|rug|shed|bins?|locker|bush(?:es)?|tree|patio|deck|stairs|steps?|"
    r"balcony|back ?yard|yard|fence|grill|cooler|car|truck|trunk|office|window|wall|hall(?:way)?|entrance|"
    r"puerta|porche|maceta|macetas|planta|plantas|cochera|garaje|port[oó]n|buz[oó]n|recepci[oó]n|porter[ií]a|banca|"
    r"silla|mesa|tapete|patio|jard[ií]n|arbusto|[aá]rbol|escaleras?|balc[oó]n|reja|carro|coche|oficina|ventana|"
    r"pared|entrada|vest[ií]bulo|lobby|caseta"
)
_PEOPLE = (
    r"neighbou?rs?|doorman|concierge|super|porter|receptionist|guard|security|landlord|manager|wife|husband|son|"
    r"daughter|mom|mother|dad|father|brother|sister|roommate|nanny|"
    r"vecin[oa]s?|portero|conserje|recepcionista|guardia|vigilante|esposa|esposo|marido|mujer|hij[oa]|mam[aá]|pap[aá]|"
    r"herman[oa]|muchacha|encargad[oa]"
)
_BARE_PLACE = re.compile(
    rf"\b(?P<place>(?:{_WHERE_EN}|{_WHERE_ES}) (?:\w+ ){{0,3}}?(?:{_THINGS})\b(?:[^,.;!?\n]*))", re.IGNORECASE
)
_BARE_PERSON = re.compile(
    rf"\b(?P<place>(?:with|w/?|to|con|a|al)(?: (?:the|my|our|a|el|la|mi|su|un|una))* (?:{_PEOPLE})\b[^,.;!?\n]*)",
    re.IGNORECASE,
)
_WITH = re.compile(r"(?:with|w/?|to|con|al?)\s+", re.IGNORECASE)

_WHERE_A_PLACE_ENDS = re.compile(
    rf"[,.;!?\n()\"“”{DOTS[0]}]|\s[-–—]\s|\s(?:and (?!(?:the|my|a) (?:{_THINGS})\b)|then|but|please|pls|plz|thanks?|"
    r"thx|because|bc|cuz|cause|if|so|when|since|i|i'?m|we|he|she|they|it|don'?t|not|instead|tho|though|call|text|"
    r"ring|knock|beware|"
    r"y|e|luego|despu[eé]s|por favor|porfa|gracias|porque|pero|si|cuando|que|no|llam\w+|toqu\w+|tocar|avis\w+|"
    r"(?:the |my |gate |door |access |el |la )*(?:codes?|pin|c[oó]digo|clave))\b",
    re.IGNORECASE,
)

_FILLER_TEXT = (
    "a an the i id im ill my me you u your it its this that them is are be there theres have has got need want like "
    "would could can may how do does to for of in on at and some any special more extra about with when they he she "
    "wanna gonna gotta lemme just ur also there here him her something "
    "please pls plz hi hello hey ok okay thanks thank yes yeah sure "
    "leave left give add put send tell say write make let know update change include drop "
    "delivery driver drivers courier guy instruction instructions note notes message info information details "
    "order package parcel box access gate door entry building code codes pin password "
    "hola buenas por favor gracias si quiero quisiera puedo puede puedes podria necesito tengo hay dejar dejarle dejo "
    "dar darle dare decir decirle agregar poner mandar enviar una un unas unos el la los las lo le les mi mis su para "
    "con de del al en que como algunas instrucciones instruccion indicaciones indicacion nota notas mensaje repartidor "
    "chofer conductor mensajero entrega pedido paquete codigo clave puerta porton acceso entrada sobre"
)
_FILLER = frozenset(_FILLER_TEXT.split())
"""Words that announce instructions without giving any."""


def what_to_note(original_text: str, label: str = "") -> Note:
    """What the text leaves for the driver; `NOTHING` when it only says that something is to be left.

    A text whose codes were forgotten meanwhile says nothing either: the driver could do nothing with it.
    `label` begins the line for the driver where the text answers a question of ours: who, or where.
    """
    text = " ".join(original_text.split())
    if not text or DOTS in text:
        return NOTHING
    safe = without_codes(text)
    where = _where(safe) or (_ended(safe) if label else "")
    has_code = safe != text
    if not label and not has_code and not where and _only_announces(text):
        return NOTHING
    person = _person(where)
    line = f"{label}: {text}" if label else text
    return Note(line[:LONGEST_LINE], has_code, "" if person else where, person, where, _only_code(text, safe))


def _only_code(text: str, safe: str) -> str:
    """What the dots of `safe` hide in `text`, where that is one code and nothing else."""
    before, dots, after = safe.partition(DOTS)
    if not dots or DOTS in after:
        return ""
    hidden = text[len(before) : len(text) - len(after)]
    return hidden if _CODE.fullmatch(hidden) else ""


def without_codes(text: str) -> str:
    """As `masked`, and codes with letters in them, which only notes have."""
    for pattern in (_HERE_OR_THERE, _OPENS):
        text = pattern.sub(lambda match: match.group().replace(match.group("code"), DOTS), text)
    return masked(text)


def _where(safe: str) -> str:
    for pattern in (_LEAVING, _BARE_PERSON, _BARE_PLACE):
        for match in pattern.finditer(safe):
            place = _ended(match.group("place"))
            if len(place.split()) > 1:
                return place
    return ""


def _ended(place: str) -> str:
    end = _WHERE_A_PLACE_ENDS.search(place)
    ended = (place[: end.start()] if end else place).strip(" '-/")
    if len(ended) > LONGEST_PLACE:
        ended = ended[: LONGEST_PLACE + 1].rpartition(" ")[0]
    return ended


def _person(where: str) -> str:
    match = _WITH.match(where)
    if match is None:
        return ""
    is_somebody = _BARE_PERSON.match(where) is not None or where.lower().startswith(
        ("with ", "w ", "w/ ", "con ")
    )
    return where[match.end() :] if is_somebody else ""


def _only_announces(text: str) -> bool:
    words = re.findall(r"[a-zñ]+|\d+", _unaccented(text.casefold().replace("'", "").replace("’", "")))
    return all(word in _FILLER for word in words)


def _unaccented(text: str) -> str:
    return text.translate(str.maketrans("áéíóúü", "aeiouu"))
