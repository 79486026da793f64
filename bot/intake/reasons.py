"""Why something is not simply done: codes, what each leads to, and its English text for the API's readers."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from connectors.errors import Refused


class Because(StrEnum):
    # what only who asks can mend
    UNREADABLE = "unreadable"
    NO_NAME = "no_name"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    BAD_POSTCODE = "bad_postcode"
    BAD_PHONE = "bad_phone"
    BAD_EMAIL = "bad_email"
    BAD_WINDOW = "bad_window"
    NO_SUCH_TIME = "no_such_time"
    TOO_SHORT = "too_short"
    PAST = "past"
    DUPLICATE = "duplicate"
    NOT_ALLOWED = "not_allowed"
    FINISHED = "finished"
    KEY_REUSED = "key_reused"
    # what a dispatcher may allow all the same
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    OUTSIDE_SERVICE_DAY = "outside_service_day"
    CLOSED_DAY = "closed_day"
    FULL = "full"
    QUOTA = "quota"
    NO_ZONE = "no_zone"
    NO_PLATFORM = "no_platform"
    NEEDS_APPROVAL = "needs_approval"
    LIMIT_REACHED = "limit_reached"
    UNDER_WAY = "under_way"
    # how it ended
    NOT_POSSIBLE = "not_possible"
    UNAVAILABLE = "unavailable"
    DECLINED = "declined"
    SUPERSEDED = "superseded"


_FOR_A_PERSON = frozenset(
    {
        Because.TOO_SOON,
        Because.TOO_FAR,
        Because.OUTSIDE_SERVICE_DAY,
        Because.CLOSED_DAY,
        Because.FULL,
        Because.QUOTA,
        Because.NO_ZONE,
        Because.NO_PLATFORM,
        Because.NEEDS_APPROVAL,
        Because.LIMIT_REACHED,
        Because.UNDER_WAY,
    }
)


class Verdict(StrEnum):
    ENTER = "enter"
    ASK = "ask"
    """A dispatcher decides."""
    REFUSE = "refuse"


def verdict_of(reasons: Iterable[str]) -> Verdict:
    """One reason that only who asks can mend outweighs all that a dispatcher could allow."""
    found = set(reasons)
    if not found:
        return Verdict.ENTER
    return Verdict.ASK if found <= _FOR_A_PERSON else Verdict.REFUSE


TEXTS: Mapping[str, str] = {
    Because.UNREADABLE: "It cannot be read.",
    Because.NO_NAME: "The recipient's name is missing.",
    Because.NO_ADDRESS: "The street address is missing.",
    Because.BAD_ADDRESS: (
        "The address is not one that a driver could find: a number and a street, with a city or a postcode."
    ),
    Because.BAD_POSTCODE: "The postcode does not have the form of its country.",
    Because.BAD_PHONE: "The phone number is not one that can be called.",
    Because.BAD_EMAIL: "The email address is not one.",
    Because.BAD_WINDOW: "The window must start before it ends.",
    Because.NO_SUCH_TIME: "The clocks go forward over this time: it does not exist on that day.",
    Because.TOO_SHORT: "The window is shorter than the operator promises.",
    Because.PAST: "The window is over.",
    Because.DUPLICATE: "The same stop is there already.",
    Because.NOT_ALLOWED: "This client may not do this by itself.",
    Because.FINISHED: "The stop is finished or cancelled.",
    Because.KEY_REUSED: "The Idempotency-Key was used for another request.",
    Because.TOO_SOON: "It is later than the cut-off.",
    Because.TOO_FAR: "It is farther ahead than the operator plans.",
    Because.OUTSIDE_SERVICE_DAY: "It is outside the service hours.",
    Because.CLOSED_DAY: "There is no service on that day.",
    Because.FULL: "The zone can take no more stops then.",
    Because.QUOTA: "The client's stops of that day are used up.",
    Because.NO_ZONE: "No zone serves this postcode.",
    Because.NO_PLATFORM: "It is not settled which routing platform takes it.",
    Because.NEEDS_APPROVAL: "A dispatcher decides about this client's changes.",
    Because.LIMIT_REACHED: "The client has moved this stop as often as it may by itself.",
    Because.UNDER_WAY: "The driver is out with it.",
    Because.NOT_POSSIBLE: "The routing platform has no such thing.",
    Because.UNAVAILABLE: "The routing platform cannot be reached.",
    Because.DECLINED: "A dispatcher declined it.",
    Because.SUPERSEDED: "A newer wish took its place.",
    Refused.RELEASED: "The route is with the driver already.",
    Refused.KEPT: "The routing platform kept what it had.",
    Refused.WOULD_WIPE: "The routing platform would lose what else it holds of the stop.",
    Refused.NOTES_FULL: "The driver's notes are full.",
    Refused.UNKNOWN_DRIVER: "The routing platform does not know the driver.",
    Refused.NOT_FAILED: "The stop did not fail.",
}


def text_of(code: str) -> str:
    """For people; a routing platform's own code, which we do not know, is told as it is."""
    return TEXTS.get(code) or f"The routing platform refused it ({code})."
