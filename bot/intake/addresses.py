"""Pure: addresses and phone numbers in one form. What was not written is never made up."""

import re
from functools import lru_cache

import phonenumbers
import usaddress  # type: ignore[import-untyped]

from bot.intake.forms import Finding, StopForm
from bot.intake.reasons import Because
from connectors.base import Address

LONGEST_LINE = 200
_ZIP = re.compile(r"(\d{5})(?:[- ]?(\d{4}))?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ELSEWHERE = {"PlaceName": "city", "StateName": "region", "ZipCode": "postcode", "CountryName": "country"}
"""What usaddress finds in a line that has a field of its own."""
_STREET_WORDS = {
    "avenue": "ave",
    "boulevard": "blvd",
    "court": "ct",
    "drive": "dr",
    "lane": "ln",
    "place": "pl",
    "road": "rd",
    "square": "sq",
    "street": "st",
    "apartment": "apt",
    "suite": "ste",
    "floor": "fl",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
}
_UNIT_WORDS = frozenset({"apt", "unit", "ste", "no"})


def read_address(form: StopForm, default_country: str) -> tuple[Address | None, list[Finding]]:
    """The address in one form, or what is wrong with it. Only US lines are taken apart."""
    country = (form.country.strip() or default_country).upper()
    given = {name: _spaced(getattr(form, name)) for name in ("city", "region", "postcode")}
    line = _spaced(form.address).strip(" ,")
    if not line:
        return None, [Finding(code=Because.NO_ADDRESS, field="address")]
    if country == "US":
        line, given = _split_us(line, given)
    findings = _wrong_with(line, given, country)
    if findings:
        return None, findings
    return Address(
        line=line,
        city=given["city"],
        postcode=_postcode(given["postcode"], country) or "",
        region=given["region"].upper() if len(given["region"]) == 2 else given["region"],
        country=country,
    ), []


def read_phone(text: str, default_country: str) -> str | None:
    """E.164; None for what cannot be called. Raises nothing."""
    try:
        number = phonenumbers.parse(text, default_country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None and len(text) <= LONGEST_LINE


@lru_cache(maxsize=10_000)
def place_key(line: str, postcode: str) -> str:
    """Equal for two ways of writing one place: `14 Elm Street, Apt 2B` and `14 elm st 2b, New York, NY 10001`.

    Some platforms keep an address as one line: what stands behind the street does not count.
    """
    street, given = _split_us(_spaced(line), {"city": "", "region": "", "postcode": postcode})
    words = re.findall(r"\w+", street.casefold())
    short = [_STREET_WORDS.get(word, word) for word in words]
    return " ".join([*(word for word in short if word not in _UNIT_WORDS), given["postcode"][:5].casefold()])


def _split_us(line: str, given: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Moves city, state and postcode out of the line into their fields, unless these say something else."""
    try:
        parts, kind = usaddress.tag(line)
    except usaddress.RepeatedLabelError:
        return line, given
    if kind != "Street Address":
        return line, given
    found = {_ELSEWHERE[label]: value for label, value in parts.items() if label in _ELSEWHERE}
    found.pop("country", None)
    if any(given[name] and given[name].casefold() != value.casefold() for name, value in found.items()):
        return line, given
    unit = [value for label, value in parts.items() if label.startswith("Occupancy")]
    street = [
        value
        for label, value in parts.items()
        if label not in _ELSEWHERE and not label.startswith("Occupancy")
    ]
    whole = _spaced(" ".join([*street, *unit])).replace("# ", "#")
    return whole, given | {name: given[name] or value for name, value in found.items()}


def _wrong_with(line: str, given: dict[str, str], country: str) -> list[Finding]:
    findings = []
    has_number = re.search(r"\d", line) is not None or country != "US"
    is_box = re.match(r"p\.? ?o\.? ?box\b", line, re.IGNORECASE) is not None
    is_findable = bool(given["city"] or given["postcode"])
    has_words = re.search(r"[^\W\d_]{2}", line) is not None
    if len(line) > LONGEST_LINE or is_box or not (has_number and has_words and is_findable):
        findings.append(Finding(code=Because.BAD_ADDRESS, field="address"))
    if given["postcode"] and _postcode(given["postcode"], country) is None:
        findings.append(Finding(code=Because.BAD_POSTCODE, field="postcode"))
    return findings


def _postcode(text: str, country: str) -> str | None:
    """In its usual form; None for one that its country does not have."""
    text = _spaced(text)
    if country != "US":
        return text.upper() if len(text) <= 12 else None
    if not text:
        return ""
    match = _ZIP.fullmatch(text)
    return "-".join(part for part in match.groups() if part) if match else None


def _spaced(text: str) -> str:
    return " ".join(text.split())
