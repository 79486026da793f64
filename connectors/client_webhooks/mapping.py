"""How a client's system took an event, read from its answer. Pure."""

from datetime import timedelta

from connectors.hand_over import PostAnswer, Taking

LATER = frozenset({408, 425, 429})
"""Too early, too slow, too many: the system is there and wants it later."""
GONE = 410
LONGEST_WAIT = timedelta(hours=1)
"""A system may ask for a longer pause than ours, up to this."""


def read_answer(status: int, retry_after: timedelta | None = None) -> PostAnswer:
    """Only 2xx takes it. A redirect is a refusal: nobody follows one to where the client did not send us."""
    if 200 <= status < 300:
        return PostAnswer(taking=Taking.TAKEN, status=status)
    error = f"http_{status}"
    if status == GONE:
        return PostAnswer(taking=Taking.GONE, status=status, error=error)
    if status >= 500 or status in LATER:
        wait = min(retry_after, LONGEST_WAIT) if retry_after is not None else None
        return PostAnswer(taking=Taking.UNAVAILABLE, status=status, error=error, retry_after=wait)
    return PostAnswer(taking=Taking.REFUSED, status=status, error=error)


def no_answer(error: str) -> PostAnswer:
    return PostAnswer(taking=Taking.UNAVAILABLE, error=error)
