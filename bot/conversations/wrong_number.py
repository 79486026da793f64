"""Whether a text says that its writer is not the one we meant: "wrong number". English and Spanish. Pure."""

import re

from bot.conversations.keywords import folded

_WRONG = r"(?:wrong|wrng|worng|rong|wron)"
_SOMEBODY = (
    r"(?:number|num|numbr|nmber|nunber|phone|cell|person|guy|gal|girl|lady|woman|man|dude|contact|recipient)"
)
_BEFORE = (
    r"(?:you|u|ur|youre|ya|got|have|has|texted|texting|messaging|messaged|contacted|contacting|dialed|is|its|this"
    r"|thats|sorry|hi|hey|hello|lol|bro|dude|think|that|im|maam|sir|no|ok|pls|please|stop|thx|a|the|here|again|just"
    r"|uh|um|yo|entirely|totally|completely|still|way)"
)
_NOT_OURS = r"(?:on|for|of|in|at|to|is|was|delivered|came|signed|took|picked|plate|with|from|by|got)"
_OTHER_NUMBERS = (
    r"(?:tracking|order|house|apartment|apt|unit|street|door|gate|suite|room|building|my|card|serial"
    r"|confirmation|right|correct)"
)
_EQUIVOCADO = r"(?:equivocado|incorrecto|erroneo|ekivocado)"
_NUMERO = r"(?:numero|telefono|celular)"

_STRANGER = re.compile(
    "|".join(
        (
            rf"(?:^|\b{_BEFORE} )(?:the |a |an? )?{_WRONG} {_SOMEBODY}\b(?! {_NOT_OURS})",
            rf"\b(?:this|that|it)(?: is|s)? ?(?:not|isnt|is no longer|aint|no longer)"
            rf"(?: (?!{_OTHER_NUMBERS})\w+){{1,3}} (?:number|phone|cell)\b(?! (?:is|on|of|in))",
            r"\b(?:number|phone) (?:no longer|doesnt|does not) belongs? to\b",
            rf"(?<!el )(?<!un )(?<!al )\bnumero (?:es |esta )?{_EQUIVOCADO}\b(?! (?:en|del|de))",
            r"\b(?:tiene[ns]?|marc\w+|escrib\w+ a|es|escribiendo|mandando|mandaron a|llamando) (?:el|al|un) numero"
            rf" {_EQUIVOCADO}",
            r"\bequivoc\w*(?: \w+)? de (?:numero|persona|telefono)\b",
            r"(?<!la )\bpersona equivocada\b",
            rf"\best[ea] (?:ya )?no es (?:el|su|mas el) {_NUMERO} de\b(?! (?:mi|la|los|las)\b)",
            rf"\b(?:este|ese|el) {_NUMERO} (?:ya )?no es (?:de|suyo)\b",
        )
    )
)
_MISTAKE = re.compile(
    "|".join(
        (
            r"\b(?:i|we) (?:\w+ )?(?:gave|put|entered|typed|wrote|used|left|have|had|made|provided|sent|got)\b",
            r"\b(?:he|she|they|driver|chofer|repartidor)(?: \w+){0,2}"
            r" (?:called|has|had|have|dialed|texted|calling|llamo|marco|tenia|tiene)\b",
            r"\bmy (?:new|real|right|correct|actual)? ?(?:number|phone)s? is\b",
            r"\b(?:puse|di|escribi|tenia|tengo)\b",
            r"\bmi (?:numero|telefono) (?:\w+ )?es\b",
            r"\bnumero de (?:pedido|guia|casa|apartamento|seguimiento)\b",
            r"\b(?:to|with|by|from|a|con) (?:the |la )(?:wrong person|persona equivocada)\b",
            r"\b(?:call|text|txt|message|msg|email|write|contact) (?:me|us|him|her|my)\b(?! (?:again|anymore))",
        )
    )
)
"""Somebody's own mistake, or another's: no stranger writes so."""
_CLAUSE_END = re.compile(r"[.!?;,:\n()]+")


def is_wrong_number(text: str) -> bool:
    """Whether whoever writes is somebody else than the recipient of a delivery."""
    words = folded(text)
    if _MISTAKE.search(words):
        return False
    return any(_STRANGER.search(folded(clause)) for clause in _CLAUSE_END.split(text))
