"""What a driver's text says to "on time? what is in the way?". Pure; English and Spanish, no model."""

import re
from dataclasses import dataclass

from bot.conversations.keywords import folded
from connectors.base import FailureReason

MOST_MINUTES = 480
SHORT = 4
"""Words of a text in which a bare number may be minutes; in a longer one it may be anything."""


@dataclass(frozen=True)
class DriverAnswer:
    """What could be read; nothing at all where the text is about something else."""

    is_on_time: bool = False
    root_cause: FailureReason | None = None
    minutes: int | None = None
    """How much longer it takes."""

    @property
    def is_understood(self) -> bool:
        return self.is_on_time or self.root_cause is not None or self.minutes is not None


NUMBERED = {
    "2": FailureReason.TRAFFIC,
    "3": FailureReason.ACCESS_ISSUE,
    "4": FailureReason.VEHICLE,
}
"""As the question offers them; 1 is "on time"."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


CAUSES = (
    (
        FailureReason.VEHICLE,
        _any(
            r"vehicles?|vehiculo|flat(?: tire)?|tires?|llantas?|goma|ponchad[ao]|pinchad[ao]",
            r"engine|motor|battery|bateria",
            r"broke(?:n)? down|breakdown|wont start|no arranca|no prende|se (?:me )?(?:descompuso|dano|quedo)|averia",
            r"(?:had|got in|in) an accident|i crashed|tuve un (?:accidente|choque)|choque con|tow(?:ed|ing)?|grua",
            r"(?:van|truck|car|camion|carro|camioneta) (?:is |esta )?(?:dead|broken|overheat\w*|danad[ao]|malo|mal)",
        ),
    ),
    (
        FailureReason.REFUSED,
        _any(
            r"refus(?:ed|es|ing|al)?(?! (?:entry|access|to (?:let|open)|me))|reject(?:ed|s)?|turned (?:it|me) away",
            r"(?:does|do|did)nt want (?:it|the)|wont (?:take|accept) it|wouldnt (?:take|accept) it",
            r"rechaz\w+|no (?:lo|la) (?:quier|quiso|acept|recib)\w*",
            r"no quis\w+(?: recibir\w*)?|no acept\w+",
        ),
    ),
    (
        FailureReason.ACCESS_ISSUE,
        _any(
            r"access|acceso|gate|porton|gate ?code|locked(?: out)?|cerrad[oa]|door ?code|codigo|no code",
            r"buzzer|intercom",
            r"cant get in|cannot get in|no puedo entrar|no me dejan (?:entrar|pasar)|security|guardia|parking|parqueo",
            r"estacionamiento|dock|elevator|ascensor|elevador",
        ),
    ),
    (
        FailureReason.DAMAGED,
        _any(
            r"damaged?|crushed|smashed|leaking|torn open",
            r"(?:box|package|parcel|it)(?: is| was|s)? (?:broken|wet|soaked|open)",
            r"danad[ao]s?|aplastad[ao]s?|mojad[ao]s?|rot[ao]s?",
        ),
    ),
    (
        FailureReason.RECIPIENT_UNAVAILABLE,
        _any(
            r"(?:nobody|no one|noone|nobodys) (?:is |was )?(?:home|there|here|answer\w*|came)|not home|no answer",
            r"not there(?! yet)|(?:isnt|wasnt) (?:home|there)",
            r"no hay nadie|nadie (?:responde|contesta|abre|en casa|sale)",
            r"no (?:esta|estaba|estan) en casa|no (?:responde|contesta|contestan|abren?)",
        ),
    ),
    (
        FailureReason.ADDRESS_ISSUE,
        _any(
            r"(?:wrong|bad|incorrect) address|address (?:is )?(?:wrong|bad|incorrect)",
            r"no such (?:address|number|apt|unit)",
            r"cant find (?:it|the)|couldnt find|doesnt exist|moved (?:out|away)|doesnt live here",
            r"direccion (?:esta )?(?:mal|equivocada|incorrecta)|no (?:encuentro|encontre|existe)|ya no vive|se mudo",
        ),
    ),
    (
        FailureReason.WEATHER,
        _any(
            r"snow\w*|rain\w*|storm\w*|flood\w*|ice|icy|fog|nieve|nevando|lluvia|lloviendo|tormenta|hielo|inundad[ao]"
        ),
    ),
    (
        FailureReason.TRAFFIC,
        _any(
            r"traffic|trafico|transito|jam|jammed|congest\w+|gridlock|stuck|atascad[oa]|atorad[oa]|tapon|tranque|trancon",
            r"accident|accidente|crash|road (?:closed|work\w*)|detour|desvio|calle cerrada|construction|bridge|puente",
        ),
    ),
    (
        FailureReason.DEPOT,
        _any(
            r"depot|warehouse|loaded late|loading|left late|almacen|deposito|bodega|cargaron tarde|sali tarde"
        ),
    ),
    (
        FailureReason.DRIVER_DELAY,
        _any(
            r"(?:running |im |i am )?(?:behind|late)|delayed|too many stops|overloaded|busy|lunch|break",
            r"retrasad[oa]|atrasad[oa]|tarde|demorad[oa]|demasiadas paradas|muchas paradas|almuerzo|comiendo",
        ),
    ),
)
"""The first that fits: a van that broke down in traffic is the van, and "late" says least."""

_ON_TIME = _any(
    r"on time|on schedule|all good|no problem|no issues?|im good|will make it|ill make it|made it|almost there",
    r"a tiempo|en hora|todo bien|sin problema|si llego|llego bien|ya casi|be there in time",
)
_NOT = _any(r"not|wont|cant|cannot|no (?:voy|llego|puedo|creo|on)|never|tampoco")
_YES = frozenset(["1", "one", "uno", "yes", "y", "yep", "yeah", "si", "sip", "ok", "okay", "k", "sure"])

_ROADS = re.compile(
    r"\b(?:i|us|sr|rt|rte|route|hwy|highway|exit|interstate|ruta|autopista|carretera|salida|av|ave|calle|street|st) ?"
    r"\d+\w*\b|\b\d+ (?:stops?|paradas?)\b|\b\d+(?:st|nd|rd|th|am|pm)\b|\b\d+ (?:am|pm)\b|\b\d{1,2} \d\d(?: ?[ap]m)\b"
)
"""Numbers that are a road, a street, stops or a time of day."""
_HOURS = re.compile(
    r"\b(?P<hours>\d{1,2}|an?|one|una?) ?(?:h|hr|hrs|hours?|horas?)(?: ?(?P<rest>\d{1,2}))?\b"
)
_HALF = re.compile(r"\b(?:half an? hour|half hour|media hora)\b")
_AND_A_HALF = re.compile(r"\b(?:and a half|y media)\b")
_MINUTES = re.compile(r"\b(?P<minutes>\d{1,3}) ?(?:more |mas )?(?:m|mins?|minutes?|minutos?)\b")
_TIMES = re.compile(
    r"\b\d{1,2}(?: [0-5]\d)? ?[ap]m\b|\b(?:at|by|until|a las|hasta las) \d{1,2}(?: [0-5]\d)?\b"
)
_BARE = re.compile(r"\b\d{1,3}\b")


def read_answer(text: str) -> DriverAnswer:
    """`2 20`, `traffic 20`, `stuck on i95 20 more min`, `acceso`, `1`; of a range the longer one."""
    words = folded(text).split()
    if not words:
        return DriverAnswer()
    if words[0] in NUMBERED and _is_code(words):
        return DriverAnswer(
            root_cause=NUMBERED[words[0]], minutes=_minutes(words[1:], is_short=len(words) <= SHORT)
        )
    plain = " ".join(words)
    cause = cause_in(plain)
    minutes = _minutes(words, is_short=len(words) <= SHORT and words[0] not in _YES)
    if _is_on_time(words, plain, cause):
        return DriverAnswer(is_on_time=True)
    return DriverAnswer(root_cause=cause, minutes=minutes)


def cause_in(plain: str) -> FailureReason | None:
    """Of folded words."""
    return next((cause for cause, pattern in CAUSES if pattern.search(plain)), None)


def _is_code(words: list[str]) -> bool:
    """`2`, `2 20`, `2 traffic 20`: not `2 min` or `2 stops left`."""
    if len(words) == 1:
        return True
    units = {"m", "min", "mins", "minute", "minutes", "minuto", "minutos", "h", "hr", "hrs", "hour", "hours"}
    if words[1] in units | {"hora", "horas", "more", "mas", "stop", "stops", "paradas", "parada"}:
        return False
    cause = cause_in(" ".join(words[1:]))
    return words[1].isdigit() or cause in (None, NUMBERED[words[0]])


def _is_on_time(words: list[str], plain: str, cause: FailureReason | None) -> bool:
    if _NOT.search(plain) and not re.search(r"\bno (?:problem|issues?)\b", plain):
        return False
    if _ON_TIME.search(plain):
        return True
    return words[0] in _YES and cause is None and (len(words) == 1 or not words[1].isdigit())


def _minutes(words: list[str], *, is_short: bool) -> int | None:
    plain = _ROADS.sub(" ", " ".join(words))
    found = [_hours(match, plain) for match in _HOURS.finditer(plain)]
    plain = _HOURS.sub(" ", plain)
    found += [30 for _ in _HALF.finditer(plain)]
    found += [int(match["minutes"]) for match in _MINUTES.finditer(plain)]
    if not found and is_short:
        found = [int(number) for number in _BARE.findall(plain)]
    fitting = [minutes for minutes in found if 0 < minutes <= MOST_MINUTES]
    return max(fitting, default=None)


def clear_of_times(plain: str) -> str:
    """Folded words without minutes, hours and times of day: what numbers are left name something."""
    for pattern in (_TIMES, _HOURS, _MINUTES):
        plain = pattern.sub(" ", plain)
    return " ".join(plain.split())


def _hours(match: re.Match[str], plain: str) -> int:
    hours = int(match["hours"]) if match["hours"].isdigit() else 1
    rest = int(match["rest"] or 0) or (30 if _AND_A_HALF.search(plain) else 0)
    return hours * 60 + rest
