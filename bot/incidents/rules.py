"""Pure: why a dispatcher is called, and what the proof says in one short sentence."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.sla.rules import clock_time
from bot.sop import local_day
from bot.stops.answers import IncidentKind
from connectors.base import ProofOfDelivery

MOST_REASONS = 4
LONGEST_WORDS = 4000

REASONS = {
    IncidentKind.MISSING: "report_missing",
    IncidentKind.DAMAGED: "report_damaged_or_wrong",
    IncidentKind.WRONG: "report_damaged_or_wrong",
    IncidentKind.INCOMPLETE: "report_damaged_or_wrong",
}
"""As the handoff knows them."""


def proof_sentence(proof: ProofOfDelivery, meters: float | None, timezone: str, now: datetime) -> str:
    """`proof: photo 2:02 pm, 30 m from the address, signed by R. Diaz` or `no proof, driver was 2.1 km away`."""
    evidence = _evidence(proof)
    if not evidence:
        return "no proof" + (f", driver was {distance(meters)} away" if meters is not None else "")
    parts = [f"proof: {evidence}{_when(proof.at, timezone, now)}"]
    if meters is not None:
        parts.append(f"{distance(meters)} from the address")
    if proof.signed_by:
        parts.append(f"signed by {proof.signed_by}")
    return ", ".join(parts)


def _evidence(proof: ProofOfDelivery) -> str:
    if len(proof.photo_urls) > 1:
        return f"{len(proof.photo_urls)} photos"
    if proof.photo_urls:
        return "photo"
    return "signature" if proof.signature_url or proof.signed_by else ""


def _when(at: datetime | None, timezone: str, now: datetime) -> str:
    if at is None:
        return ""
    is_today = local_day(at, timezone) == local_day(now, timezone)
    day = "" if is_today else f" {at.astimezone(ZoneInfo(timezone)):%b %-d}"
    return f"{day} {clock_time(at, timezone)}"


def distance(meters: float) -> str:
    """To ten meters, from a kilometer on to a tenth of one."""
    if meters < 995:
        return f"{max(10, round(meters, -1)):.0f} m"
    return f"{meters / 1000:.1f} km"


def with_proof(why: str, sentence: str) -> str:
    """The reasons of an escalation with what the proof says right after the newest."""
    first, *others = why.split("; ")
    return "; ".join([first, sentence, *(part for part in others if part != sentence)][:MOST_REASONS])


def with_words(known: str, said: str) -> str:
    """One line more, unless it says what was said before."""
    said = " ".join(said.split())
    if not said or said in known.splitlines():
        return known
    return f"{known}\n{said}".strip()[:LONGEST_WORDS]
