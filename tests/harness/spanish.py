"""What recipients read in Spanish: not a word of English left in it, usted, and one question at most."""

import re

from tests.harness.people import Recipient

_ENGLISH = re.compile(
    r"\b(?:the|your|you|it|its|this|that|parcel|delivery|dispatch|dispatcher|driver|about|window|today|tomorrow"
    r"|yesterday|shall|want|book|booked|van|stops|away|and|or|for|with|from|on|by|is|was|are|been|text|reply"
    r"|person|sorry|which|where|when|what|nothing|okay|thanks|welcome|hello|mon|tue|wed|thu|fri|sat|sun|jun)\b"
    r"(?<!\d jun)",
    re.IGNORECASE,
)
"""`jun` alone is English; after its day ("10 jun") it is the Spanish month."""
_TUTEO = re.compile(
    r"\b(?:tú|tu|tus|te|ti|contigo|tienes|quieres|puedes|necesitas|prefieres|dime|dígame tú|envía|manda|responde"
    r"|escribe|escríbeme|pregúntame|revisa)\b",
    re.IGNORECASE,
)


def spanish(answer: str) -> str:
    """The answer itself, once it has been found to be Spanish as we write it."""
    assert not _ENGLISH.findall(answer), f"English in: {answer}"
    assert not _TUTEO.findall(answer), f"tú instead of usted in: {answer}"
    assert answer.count("?") <= 1, f"two questions in: {answer}"
    assert "!" not in answer, answer
    assert "{" not in answer, f"a slot left open in: {answer}"
    return answer


async def asks(recipient: Recipient, body: str) -> str:
    """Sends one text; its answer must be Spanish."""
    answer = await recipient.asks(body)
    return spanish(answer)
