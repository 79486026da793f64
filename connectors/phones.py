"""Phone numbers as platforms tell them. Pure."""

import phonenumbers


def to_e164(phone: str) -> str | None:
    """None for what is no number with its country."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
