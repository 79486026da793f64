"""What a person has newly written in a mail: no quoted history, signature, legal footer or HTML. Pure.

English and Spanish. When in doubt a line stays: the bot may read too much, never too little.
"""

import re

import lxml.html  # type: ignore[import-untyped]
import quotequail  # type: ignore[import-untyped]
from inscriptis import Inscriptis  # type: ignore[import-untyped]
from lxml.etree import ParserError  # type: ignore[import-untyped]

MAX_LINES = 400
"""quotequail takes the square of the lines; what a person writes anew stands in far fewer."""
MAX_LINE_CHARACTERS = 4_000
MAX_CHARACTERS = 6_400
"""Of the text handed on; as many as `connectors.twilio` takes."""

_QUOTES_IN_HTML = (
    "//*[contains(concat(' ', @class, ' '), ' gmail_quote ')] | //*[@id='appendonsend' or @id='divRplyFwdMsg']"
    " | //*[@id='appendonsend' or @id='divRplyFwdMsg']/following-sibling::*"
    " | //blockquote[@type='cite'] | //*[contains(@class, 'yahoo_quoted')]"
    " | //*[contains(@class, 'gmail_signature')] | //*[@class='moz-signature'] | //*[@id='Signature']"
)
"""How Gmail, Outlook on the web, Apple Mail, Yahoo and Thunderbird mark what is not new. A forwarded mail is
marked like a quoted one, so its content is dropped too: it is somebody else's words."""

_INTRO_START = re.compile(r"^>? ?(On|El)\b.{3,}", re.IGNORECASE)
_INTRO_END = re.compile(r"\b(wrote|escribió|escribio):\s*$", re.IGNORECASE)
_INTRO_LINES = 4

_SIGNATURE = re.compile(r"^(-- ?|—|__+)$")
_APP_LINE = re.compile(
    r"^\W{0,3}(sent from (my |outlook|yahoo|proton|mail |the )|get outlook for |enviado desde |enviado con "
    r"|obtener outlook para |descarga outlook para |mandado desde mi |sent via |sent with )[^?]{0,120}$",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"^((best|kind|warm|many)? ?(regards|wishes)|best|all the best|cheers|sincerely( yours)?|yours( truly)?|thanks"
    r"|thank you|many thanks|thanks (again|in advance)|(un )?(cordial )?saludos?( cordiales)?|atentamente"
    r"|cordialmente|(muchas )?gracias( de antemano)?|quedo atent[oa])[\s,.!–-]*$",
    re.IGNORECASE,
)
_SIGN_OFF_LINES = 5
"""Name, role, company, phone, address. More than this below a sign-off is no signature."""

_FOOTER = re.compile(
    r"^\W{0,3}((confidentiality|privacy|legal) (notice|note|warning)|disclaimer\b|aviso (legal|de confidencialidad)"
    r"|nota de confidencialidad|cláusula de confidencialidad|(this|the information in this) (e-?mail|message)"
    r"( message)?( and| is| may| contains|,)|(este|la información (de|contenida en) este) (mensaje|correo)"
    r"|antes de imprimir|please consider the environment|caution: this (e-?mail|message))",
    re.IGNORECASE,
)
_FOOTER_WORDS = re.compile(
    r"confiden|privileged|intended|environment|medio ambiente|destinatari|imprimir|print|external",
    re.IGNORECASE,
)


def visible_text(text: str, html: str) -> str:
    """The new words of a mail: of its plain body, or of its HTML when that is all there is."""
    source = text if text.strip() else html_to_text(html)
    lines = [line[:MAX_LINE_CHARACTERS].replace("\u00a0", " ").rstrip() for line in source.split("\n")]
    fresh = _without_history(_joined_intros(lines[:MAX_LINES]))
    return _tidy(_without_signature(_without_footer(fresh)))


def html_to_text(html: str) -> str:
    """Empty for what lxml cannot read."""
    try:
        # Bytes, because a str with an encoding declaration is refused.
        tree = lxml.html.document_fromstring(
            html.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8")
        )
    except (ParserError, ValueError):
        return ""
    for quoted in tree.xpath(_QUOTES_IN_HTML):
        quoted.drop_tree() if quoted.getparent() is not None else None
    text = Inscriptis(tree).get_text()
    return "\n".join(line.strip() for line in text.split("\n"))


def _joined_intros(lines: list[str]) -> list[str]:
    """`On … wrote:` and `El … escribió:` that a mailer has wrapped, each on one line again."""
    joined: list[str] = []
    index = 0
    while index < len(lines):
        length = _intro_length(lines[index : index + _INTRO_LINES])
        joined.append(" ".join(lines[index : index + length]) if length else lines[index])
        index += length or 1
    return joined


def _intro_length(lines: list[str]) -> int:
    """How many of these lines make up the intro of a quote; 0 when they do not."""
    if not _INTRO_START.match(lines[0]):
        return 0
    for length in range(1, len(lines) + 1):
        if _INTRO_END.search(lines[length - 1]):
            return length
        if not lines[length - 1].strip():
            return 0
    return 0


def _without_history(lines: list[str]) -> list[str]:
    found = quotequail.unwrap("\n".join(lines)) or {}
    if _is_quote(found, lines):
        top, bottom = found.get("text_top", ""), found.get("text_bottom", "")
        lines = [*top.split("\n"), *bottom.split("\n")]
    return [line for line in lines if not line.lstrip().startswith(">")]


def _is_quote(found: dict[str, str], lines: list[str]) -> bool:
    """Whether what quotequail found is one: people, too, write "Date: friday" and "On friday she wrote:"."""
    if found.get("type") == "forward":
        names = {"from", "to", "date", "subject"} & found.keys()
        return not names or "from" in names
    intro = next((line for line in lines if line.strip()), "")
    is_sure = "text_top" in found or any(character in intro for character in "0123456789<@")
    return found.get("type") == "reply" and (is_sure or any(line.startswith(">") for line in lines))


def _without_footer(lines: list[str]) -> list[str]:
    """Cuts at the first legal paragraph, unless it is all that there is."""
    for index, line in enumerate(lines):
        if index and _FOOTER.match(line) and _FOOTER_WORDS.search(" ".join(lines[index : index + 6])):
            return lines[:index]
    return lines


def _without_signature(lines: list[str]) -> list[str]:
    for index, line in enumerate(lines):
        if _SIGNATURE.match(line) or (_SIGN_OFF.match(line) and _ends_here(lines, index)):
            # A sign-off that is all a person says ("thanks") is what they say.
            lines = lines[:index] if any(each.strip() for each in lines[:index]) else lines
            break
    return [line for line in lines if not _APP_LINE.match(line)]


def _ends_here(lines: list[str], index: int) -> bool:
    """Whether only a signature follows: a few short lines in which nothing is asked."""
    rest = [line for line in lines[index + 1 :] if line.strip() and not _APP_LINE.match(line)]
    return len(rest) <= _SIGN_OFF_LINES and all(len(line) <= 60 and "?" not in line for line in rest)


def _tidy(lines: list[str]) -> str:
    text = "\n".join(" ".join(line.split()) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()[:MAX_CHARACTERS].rstrip()
