"""What is said while a failed delivery is followed up: which response, filled with what. Pure."""

from collections.abc import Mapping
from datetime import datetime

from actions.booking import from_slot, to_slot
from actions.errands.agreed import Agreed
from actions.errands.base import Errand
from actions.reschedule import question_about
from actions.services import ActionServices
from actions.speech import (
    capitalised,
    list_options,
    list_windows,
    name_parcel,
    name_sender,
    say_dated_window,
    say_instant,
)
from actions.status import Saying
from bot.recovery.answers import Choice, FollowUpOutcome, FollowUpQuestion
from bot.sop_recovery import Flow
from connectors.base import DeliveryWindow, FailureReason

NO_SUCH_WAY = "no_such_way"
"""The problem of an answer: what the protocol does not offer for this parcel."""

WAYS = (Choice.NEIGHBOUR, Choice.SAFE_PLACE, Choice.PICK_UP, Choice.SEND_BACK)
"""In the order in which they are offered, after another try."""

BETWEEN = "\n"


def kept_facts(question: FollowUpQuestion, data: Mapping[str, str]) -> dict[str, str]:
    """What the question said, in words: numbers in the answer mean what was listed then."""
    return {
        **data,
        "recovery": question.recovery_id,
        "flow": question.flow.value,
        "reason": question.reason.value,
        "failed_at": question.failed_at.isoformat(),
        "offers": " ".join(to_slot(window) for window in _offered_first(question)),
        "ways": " ".join([Choice.REATTEMPT, *(way for way in WAYS if way in question.alternatives)]),
        "points": BETWEEN.join(point.name for point in question.pick_up_points),
    }


def _offered_first(question: FollowUpQuestion) -> tuple[DeliveryWindow, ...]:
    """The times that the first question names: any other is read back before it is booked."""
    match question.flow:
        case Flow.ACCESS_CODE:
            return question.offers[:1]
        case Flow.ADDRESS | Flow.ALTERNATIVES:
            return ()
    return question.offers


def offers_kept(data: Mapping[str, str]) -> tuple[DeliveryWindow, ...]:
    return tuple(from_slot(window) for window in data.get("offers", "").split())


def ways_listed(data: Mapping[str, str]) -> list[Choice]:
    return [Choice(way) for way in data.get("ways", "").split()]


def say_question(errand: Errand, agreed: Agreed, services: ActionServices) -> Saying:
    """The question of the errand's present step."""
    language = errand.turn.language
    match errand.step:
        case "neighbour" | "safe_place":
            return Saying(f"utter_ask_{errand.step}")
        case "code":
            return Saying("utter_recovery_ask_code")
        case "address":
            return Saying("utter_ask_new_address", {"parcel": _parcel(errand)})
        case "point":
            points = errand.data["points"].split(BETWEEN)
            return Saying("utter_recovery_ask_point", {"options": list_options(points)})
        case "confirm":
            return _read_back(errand, agreed, services)
        case "already":
            return Saying("utter_recovery_already", {"window": _dated(agreed.window, errand, services)})
        case "when":
            return _ask_when(errand, services)
    # Whoever comes back to the question after another one knows by then who asks.
    is_full = errand.data.get("is_full") == "yes" and not errand.turn.inbound_id
    client, timezone = errand.about.client, errand.about.timezone
    return first_question(errand.data, client, timezone, language, services, is_full=is_full)


def _ask_when(errand: Errand, services: ActionServices) -> Saying:
    offers, problem = offers_kept(errand.data), errand.data.get("problem")
    options = list_windows(offers, errand.about.timezone, services.now(), errand.turn.language)
    if not offers:
        return Saying("utter_ask_when_open")
    if problem == NO_SUCH_WAY:
        return Saying("utter_recovery_no_such_way", {"options": options})
    return Saying(question_about(problem), {"options": options})


def _read_back(errand: Errand, agreed: Agreed, services: ActionServices) -> Saying:
    if agreed.choice is Choice.SEND_BACK:
        return Saying("utter_ask_send_back", {"parcel": _parcel(errand)})
    window = capitalised(_dated(agreed.window, errand, services))
    if agreed.place:
        return Saying("utter_recovery_confirm_place", {"window": window, "place": agreed.place})
    if agreed.code_inbound:
        return Saying("utter_recovery_confirm_code", {"window": window})
    return Saying("utter_ask_booking", {"window": window})


def first_question(
    data: Mapping[str, str],
    client: str,
    timezone: str,
    language: str,
    services: ActionServices,
    *,
    is_full: bool,
) -> Saying:
    """In full where it is the first word on this channel, and shorter every time after that."""
    flow, offers = Flow(data["flow"]), offers_kept(data)
    slots = {"parcel": name_parcel(client, language)}
    if is_full:
        slots = _what_happened(data, client, timezone, language, services)
    name = f"utter_recovery_{'ask' if is_full else 'again'}_{flow.value}"
    match flow:
        case Flow.ALTERNATIVES:
            ways = [services.say(f"utter_recovery_way_{way.value}", language) for way in ways_listed(data)]
            return Saying(name, slots | {"options": list_options(ways)})
        case Flow.ADDRESS:
            return Saying(name, slots)
        case _ if not offers:
            return Saying(f"{name}_open", slots)
        case Flow.ACCESS_CODE:
            window = say_dated_window(offers[0], timezone, services.now(), language)
            return Saying(name, slots | {"window": window})
    return Saying(name, slots | {"options": list_windows(offers, timezone, services.now(), language)})


def _what_happened(
    data: Mapping[str, str], client: str, timezone: str, language: str, services: ActionServices
) -> dict[str, str]:
    reason = FailureReason(data["reason"])
    told = reason if reason in TOLD else FailureReason.OTHER
    failed_at = datetime.fromisoformat(data["failed_at"])
    return {
        "who": name_sender(services.operator, client, language),
        "what": services.say(f"utter_recovery_what_{told.value}", language),
        "when": say_instant(failed_at, timezone, services.now(), language),
    }


TOLD = frozenset(
    {
        FailureReason.ACCESS_ISSUE,
        FailureReason.RECIPIENT_UNAVAILABLE,
        FailureReason.ADDRESS_ISSUE,
        FailureReason.REFUSED,
        FailureReason.DAMAGED,
        FailureReason.VEHICLE,
        FailureReason.WEATHER,
    }
)
"""Reasons with words of their own; of any other only that it did not work is said."""


def say_outcome(outcome: FollowUpOutcome, agreed: Agreed, errand: Errand, services: ActionServices) -> Saying:
    """What has become of it: promised is only what the platform or a dispatcher holds."""
    parcel = {"parcel": _parcel(errand)}
    match outcome.result:
        case "booked":
            has_code = bool(agreed.code_inbound) and not outcome.lacks_code
            return _booked(outcome.window or agreed.window, agreed, errand, services, has_code=has_code)
        case "pick_up":
            if agreed.point:
                return Saying("utter_recovery_pick_up", {"place": agreed.point})
            return Saying("utter_recovery_pick_up_anywhere", parcel)
        case "sent_back":
            return Saying("utter_recovery_sent_back", parcel)
        case "platform_down":
            window = capitalised(_dated(outcome.window or agreed.window, errand, services))
            return Saying("utter_recovery_writing", {"window": window})
        case "asked_dispatcher":
            return _asked(outcome, agreed, errand, services)
    return Saying("utter_recovery_over")


def _booked(
    window: DeliveryWindow | None, agreed: Agreed, errand: Errand, services: ActionServices, *, has_code: bool
) -> Saying:
    slots = {"window": _dated(window, errand, services)}
    if agreed.choice in (Choice.NEIGHBOUR, Choice.SAFE_PLACE) and agreed.place:
        return Saying("utter_recovery_booked_place", slots | {"place": agreed.place})
    return Saying("utter_recovery_booked_code" if has_code else "utter_recovery_booked", slots)


def _asked(outcome: FollowUpOutcome, agreed: Agreed, errand: Errand, services: ActionServices) -> Saying:
    now, timezone, language = services.now(), errand.about.timezone, errand.turn.language
    by = say_instant(outcome.respond_by or now, timezone, now, language)
    slots = {"parcel": _parcel(errand), "by": by}
    match agreed.choice:
        case Choice.SEND_BACK:
            return Saying("utter_request_send_back", slots)
        case Choice.PICK_UP:
            return Saying("utter_request_hold", {"by": by})
    if agreed.address:
        return Saying("utter_request_change_address", slots)
    return Saying("utter_recovery_asked", slots)


def _dated(window: DeliveryWindow | None, errand: Errand, services: ActionServices) -> str:
    window = window or errand.about.window
    if window is None:
        return ""
    return say_dated_window(window, errand.about.timezone, services.now(), errand.turn.language)


def _parcel(errand: Errand) -> str:
    return name_parcel(errand.about.client, errand.turn.language)
