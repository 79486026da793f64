"""Whether a trusted server has found that a mail comes from where it says. Pure.

Anybody can write any From. A recipient who writes by email proves who they are with a tracking number and a postcode
whatever comes out; a client hears of its stops only where it is True. Source: RFC 8601.
"""

from collections.abc import Mapping

import authres  # type: ignore[import-untyped]

from connectors.email.payloads import Mail

MAX_HEADER_CHARACTERS = 4_000
HEADER = "authentication-results"


def is_authentic(mail: Mail, trusted_authserv: str) -> bool | None:
    """True when the trusted server vouches for the domain of From, False when it says it is forged.

    None when nobody trusted says anything: a header that the sender has written itself counts for nothing.
    """
    if mail.envelope.is_authentic is not None or not trusted_authserv:
        return mail.envelope.is_authentic
    # Servers write their headers on top, so only the first one of the trusted name can be believed.
    for value in mail.headers.get(HEADER, ()):
        results = _read(value)
        if results is not None and results.authserv_id.lower() == trusted_authserv.lower():
            return _verdict(results, mail.sender.rpartition("@")[2])
    return None


def _read(value: str) -> "authres.AuthenticationResultsHeader | None":
    try:
        return authres.AuthenticationResultsHeader.parse(
            f"Authentication-Results: {value[:MAX_HEADER_CHARACTERS]}"
        )
    except (authres.AuthResError, ValueError, AttributeError, TypeError, IndexError):
        return None


def _verdict(results: "authres.AuthenticationResultsHeader", domain: str) -> bool | None:
    """DMARC where it was checked, because it is about From; else a DKIM signature of the same domain."""
    for result in results.results:
        if result.method == "dmarc" and result.result in ("pass", "fail"):
            return bool(result.result == "pass")
    signed = {
        str(part.value).lower().lstrip("@")
        for result in results.results
        if result.method == "dkim" and result.result == "pass"
        for part in result.properties
        if part.name in ("d", "i") and part.value
    }
    return True if domain in {each.rpartition("@")[2] for each in signed} else None


def mailgun_verdict(headers: Mapping[str, tuple[str, ...]]) -> bool | None:
    """What Mailgun writes into the headers of a mail that it takes: `X-Mailgun-Dkim-Check-Result: Pass`.

    True only for a signature that holds: SPF speaks of the envelope, not of From.
    """
    found = {
        name: headers.get(f"x-mailgun-{name}", ("",))[0].lower() for name in ("dkim-check-result", "spf")
    }
    if found["dkim-check-result"] == "pass":
        return True
    failed = found["dkim-check-result"] == "fail" and found["spf"] in ("fail", "softfail")
    return False if failed else None
