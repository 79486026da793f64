"""What a driver's text says to "will you drive your route today?". Pure; English and Spanish, no model."""

import re
from enum import StrEnum

from bot.conversations.keywords import folded


class Reply(StrEnum):
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_YES = _words(
    "1 one uno yes y yep yeah yup ya sure ok okay k kk confirm confirmed confirming correct "
    "affirmative si sip claro confirmo confirmado confirmada confirmar listo lista dale vale "
    "bueno correcto afirmativo"
)
_YES_PHRASES = (
    r"i (?:will|ll|can) (?:be there|drive|do it|take it)|ill (?:be there|drive|do it|take it)",
    r"on my way|good to go|see you|got it|sounds good|all good|im in|count me in|no problem|de acuerdo|esta bien",
    r"ahi (?:estoy|estare)|por supuesto|cuente conmigo|sin problema|ningun problema|no hay problema|voy en camino",
)
_NO = _words("2 two dos no nope nah n sick ill enfermo enferma negative negativo imposible")
_NO_PHRASES = (
    r"can ?not|cant|cannot|wont|unable|not able|not (?:coming|working|today|available|driving)|wont be",
    r"i quit|im out|day off|off today|call(?:ing)? (?:in|out)|at the hospital|had an accident|broke(?:n)? down",
    r"no (?:puedo|podre|voy|ire|trabajo|estoy disponible|llego|alcanzo)|estoy (?:muy )?(?:enferm[oa]|mal)|hoy no",
    r"me siento mal|dia libre|tuve un accidente|im sick|feel(?:ing)? (?:sick|ill|bad)|se (?:me )?descompuso",
)
_YES_PATTERN = re.compile(rf"\b(?:{'|'.join(_YES_PHRASES)})\b")
_NO_PATTERN = re.compile(rf"\b(?:{'|'.join(_NO_PHRASES)})\b")
_MOST = 3
"""So many words may count; more of them are no short answer."""
_POLITE = _words(
    "thanks thank you ty sir boss maam man please pls hi hello hey good morning i here my route "
    "it the today sorry gracias jefe jefa senor senora buenos buenas dias hola por favor aqui "
    "mi ruta hoy la lo siento que"
)


def read_reply(text: str) -> Reply:
    """Yes or no only where the text says just one of them; all else is unclear.

    A refusal in words wins over a polite yes ("ok but i can't"); a phrase of agreement that has a "no" in it
    ("no problem") is a yes.
    """
    if "\N{THUMBS DOWN SIGN}" in text:
        return Reply.NO
    if "\N{THUMBS UP SIGN}" in text and not folded(text):
        return Reply.YES
    words = folded(text)
    if _NO_PATTERN.search(_without_agreement(words)):
        return Reply.UNCLEAR if text.rstrip().endswith("?") else Reply.NO
    if _YES_PATTERN.search(words):
        is_doubtful = text.rstrip().endswith("?") or _NO & set(_without_agreement(words).split())
        return Reply.UNCLEAR if is_doubtful else Reply.YES
    return _read_short(words.split())


def is_courtesy(text: str) -> bool:
    """`ok thanks`, `gracias jefe`: nothing that anybody has to read."""
    words = folded(text).split()
    return bool(words) and all(word in _POLITE or word in _YES for word in words)


def _without_agreement(words: str) -> str:
    return _YES_PATTERN.sub(" ", words)


def _read_short(words: list[str]) -> Reply:
    """Texts of a word that counts, once or more, and nothing else but politeness."""
    counting = [word for word in words if word not in _POLITE]
    if not counting or len(counting) > _MOST:
        return Reply.UNCLEAR
    if all(word in _YES for word in counting):
        return Reply.YES
    return Reply.NO if all(word in _NO for word in counting) else Reply.UNCLEAR
