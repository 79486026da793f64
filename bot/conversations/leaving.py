"""Asking for silence in plain words, English and Spanish: what a text itself says, whatever a model thinks. Pure.

Each word becomes the letter of its kind, each clause a row of letters, and a few patterns over those rows say what
asks for silence: "please stop texting me" is `hSwm`, "no me manden más mensajes" is `nmget`. A pattern wants the
whole thing said, who or what shall stop *and* that it is messages: "stop by after 5" and "don't text, call me"
say something else, and "don't text me at work" says less.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.conversations.keywords import SPANISH_KEYWORDS, folded
from bot.conversations.leaving_words import kinds_of


class Leaving(StrEnum):
    """How plainly a text asks for silence."""

    WHOLLY = "wholly"
    """It says nothing else."""
    AMONG_OTHERS = "among_others"
    """It says so, and more."""
    NO = "no"


_MESSAGES = r"(?:p[an]m?)?[wt](?:m?[an]m?p)?"
_PATTERNS = {
    "stopped": rf"[Ss][fmeh]*(?:[gv][fme]*)?{_MESSAGES}",
    "not_written": rf"n[feh]*m[fme]*{_MESSAGES}|n[feh]*{_MESSAGES}[fe]*[me]",
    "not_sent": r"n[fme]*g[fme]*[wt]|nf*mg[fme]*e",
    "unwanted": rf"[nN][fhye]*q[fme]*(?:[gv][fme]*)?(?:{_MESSAGES}|b)",
    "off_the_list": r"[orv][fm]*m[fdmw]*l|of*md|qdf*l|r[fm]*m|mh*r[fd]*l",
    "must_end": r"tf*[hqf]*[Ss]",
    "never_signed": r"[nN][fmhe]*(?:i(?:[fe]*[tw])?|j[fve]*[tw])",
    "unsubscribed": r"u",
    "sending": r"[Ss][fm]*g[fme]*",
}
_PATTERN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()))
_TAIL = re.compile(r"[fmedhtl]*")
_NOT_BEFORE = {
    "stopped": r"[nNc][fhqmyj]{0,4}$",
    "sending": r"[nNc][fhqmy]{0,3}$",
    "not_written": r"[yzxc]h?$",
    "not_sent": r"[yzxc]h?$",
    "unwanted": r"c[yhf]*$",
    "off_the_list": r"[nNcx][fhqmy]{0,3}$",
    "must_end": r"[nNc][fhqmy]*$",
    "never_signed": r"c[yhf]*$",
    "unsubscribed": r"[nNc][fhqmye]{0,4}$",
}
"""What turns a pattern round, right before it: "you never text me", "why did you stop texting me"."""

_GOES_ON = frozenset({"stopped", "not_written", "not_sent", "unwanted"})
"""After these, where they name me or us, other words may follow in the same clause; nothing that narrows it."""
_NEED_A_MODEL = frozenset({"never_signed", "off_the_list", "sending", "must_end"})
"""These may be about something else: they are believed where a model has come to the same conclusion."""

_REACH_ME = re.compile(
    r"(?<!you )(?<!u )\b(?:call|text|txt|message|msg|email|write|contact|ring|phone|notify|tell|let|buzz|whatsapp)"
    r" (?:me|us|him|her|my|when|if|instead)\b|\binstead\b|\b(?:llam|avis|escrib|contact)\w{0,4} (?:me|nos)\b"
    r"|(?<!no )\b(?:me|nos) (?:llam|avis|escrib)e[ns]?\b"
)
"""Asks to be reached in another way, or at another time."""
_CALLS_ONLY = re.compile(r"ing (?:and|n) (?:just )?(?:text|txt|message|msg|write|contact)\b")
"""Of "stop calling and text"."""
_CLAUSE_END = re.compile(r"[.!?;,:\n()]+")
_ONLY_STOP = re.compile(
    r"(?:(?:please|pls|plz|just|ok|okay|hey|yo|omg|dude|no|i said|can you|could you|you guys|guys) )*stop"
    r"(?: (?:it|this|that|now|right|already|please|pls|plz|thanks|thank|you|immediately|asap|anymore|man|dude|stop))*"
)


_SPANISH = re.compile(
    r"\b(?:no|ya|mi|me|los|las|por favor) (?:me|nos|mas|los|las|quiero|mensajes?|numero|de|escrib\w+)\b"
    r"|\b(?:mensajes?|numero|dejen|deje|deja|paren|basta|escrib\w+|mand(?:en|ar)\w*|quiero|textos|baja)\b"
)


@dataclass(frozen=True)
class Clause:
    words: list[str]
    kinds: str
    asking: re.Match[str] | None
    """The part of `kinds` that asks for silence."""

    @property
    def end(self) -> int:
        return _end(self.asking, self.kinds) if self.asking else 0

    @property
    def other_kinds(self) -> str:
        return self.kinds[: self.asking.start()] + self.kinds[self.end :] if self.asking else self.kinds

    @property
    def other_words(self) -> str:
        if self.asking is None:
            return " ".join(self.words)
        return " ".join([*self.words[: self.asking.start()], "|", *self.words[self.end :]])


def leaving(text: str) -> Leaving:
    """How plainly a text asks for silence."""
    clauses = [_read(part) for part in _CLAUSE_END.split(text)]
    if not any(clause.asking for clause in clauses):
        only_stops = any(_ONLY_STOP.fullmatch(folded(part)) for part in _CLAUSE_END.split(text))
        return Leaving.AMONG_OTHERS if only_stops else Leaving.NO
    others = " | ".join(clause.other_words for clause in clauses)
    if _CALLS_ONLY.search(folded(text)) or _REACH_ME.search(others):
        return Leaving.NO
    return Leaving.WHOLLY if all(_says_no_more(clause) for clause in clauses) else Leaving.AMONG_OTHERS


def is_spanish(text: str) -> bool:
    """Of a text that asks for silence, or a keyword, and that nothing else has looked at."""
    words = folded(text)
    return words in SPANISH_KEYWORDS or _SPANISH.search(words) is not None


def _read(part: str) -> Clause:
    words, kinds = kinds_of(part)
    meant = (match for match in _PATTERN.finditer(kinds) if _is_meant(match, kinds))
    return Clause(words, kinds, next(meant, None))


def _is_meant(match: re.Match[str], kinds: str) -> bool:
    name = str(match.lastgroup)
    if re.search(_NOT_BEFORE[name], kinds[: match.start()]):
        return False
    end = _end(match, kinds)
    names_me, rest = "m" in kinds[match.start() : end], kinds[end:]
    if "c" in rest:
        return False
    return not rest or rest[0] in "aynNS" or (names_me and name in _GOES_ON)


def _end(match: re.Match[str], kinds: str) -> int:
    tail = _TAIL.match(kinds, match.end())
    return tail.end() if tail else match.end()


def _says_no_more(clause: Clause) -> bool:
    if clause.asking is not None and clause.asking.lastgroup in _NEED_A_MODEL:
        return False
    return re.fullmatch(r"[hfeyamqS]*", clause.other_kinds) is not None
