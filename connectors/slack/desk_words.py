"""Words of the desk: why something is a dispatcher's, how it ended, and what only one dispatcher reads. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

from connectors.desk import AnswerCode, CommandAnswer, TaskKind, TaskRefusal
from connectors.slack.follow_up_text import follow_ups_text
from connectors.slack.mrkdwn import foreign, link, mention, sentence, window_words
from connectors.slack.pause_words import lifted_text, paused_text, pauses_text, refused_text
from connectors.slack.stop_card import stop_card_text
from connectors.slack.who_words import on_call_text

NAME_LIMIT = 60
SENTENCE_LIMIT = 240
REASONS_SHOWN = 6

KINDS = {
    TaskKind.NEW_STOP: "New stop",
    TaskKind.CHANGE_WINDOW: "Window change",
    TaskKind.CANCEL_STOP: "Cancellation",
    TaskKind.LATE_CHANGE: "Change on the road",
    TaskKind.DRIVER_UNCONFIRMED: "Driver not confirmed",
    TaskKind.OVER_CAPACITY: "Over capacity",
    TaskKind.WRITE_REFUSED: "To do on the platform",
    TaskKind.RELEASE_ROUTES: "Send routes",
    TaskKind.MOVE_WINDOWS: "Move many windows",
    TaskKind.HAND_OVER_FAILED: "Client's system not reached",
    TaskKind.FAILURE_REASON: "Why did it fail?",
    TaskKind.FOLLOW_UP: "Failed delivery",
}

REASONS = {
    # of a window
    "past": "it is in the past",
    "too_soon": "it starts too soon",
    "too_far": "it is too far ahead",
    "too_short": "the window is too short",
    "bad_window": "the window must start before it ends",
    "no_such_time": "the clocks go forward over it, so that time does not exist",
    "outside_service_day": "it is outside service hours",
    "closed_day": "nobody delivers that day",
    "full": "the zone is full then",
    "quota": "the client has used up its stops of that day",
    # of a place or a person
    "no_zone": "no zone covers that postcode",
    "no_platform": "it is not settled which platform takes it",
    "no_address": "the street address is missing",
    "bad_address": "the address cannot be found",
    "bad_postcode": "the postcode is not one",
    "no_name": "the recipient's name is missing",
    "bad_email": "the email address is not one",
    "bad_phone": "the phone number is not one",
    "duplicate": "it is there already",
    "unreadable": "it cannot be read",
    # of who asks
    "no_client": "the client is missing",
    "not_allowed": "this client may not do that by itself",
    "needs_approval": "this client's changes are a dispatcher's to decide",
    "limit_reached": "the client has moved it too often",
    "key_reused": "its key was used for another request",
    "declined": "a dispatcher declined it",
    "superseded": "a newer wish took its place",
    # of what the platform says
    "under_way": "the driver is out with it",
    "finished": "it is over already",
    "released": "the route is with the driver",
    "not_failed": "it has not failed",
    "kept": "the platform said yes and changed nothing",
    "would_wipe": "writing it would wipe what else the platform holds",
    "notes_full": "the driver's notes are full",
    "unknown_driver": "the platform does not know the driver",
    "no_route": "the driver has no route that day",
    "not_possible": "the platform cannot do that",
    "unavailable": "the platform cannot be reached",
    "not_found": "the platform does not know it",
    # of a driver
    "driver_refused": "the driver said no",
    "driver_silent": "the driver has not answered",
    "no_phone": "there is no phone number",
    "opted_out": "the driver asked for no more texts",
    "overload_load": "the vehicle cannot carry it",
    "overload_off_duty": "the driver is off duty",
    # of a client's system
    "gone": "it answered that it is gone for good",
}
"""Codes of `TaskFacts.reasons`, as the second half of a sentence. What is not listed is shown as plain words."""

OUTCOMES = {
    "moot": "It settled itself",
    "cured": "It works again",
    "time_ran_out": "Nobody decided it in time",
    "platform_refused": "The platform refused it",
}


def reason_words(codes: Iterable[str]) -> str:
    """`it starts too soon; that day is full`; empty when there are none. A code may carry more after a colon."""
    words = list(dict.fromkeys(_reason(code) for code in codes))
    shown = [each for each in words if each]
    more = len(shown) - REASONS_SHOWN
    return "; ".join(shown[:REASONS_SHOWN] + ([f"and {more} more"] if more > 0 else []))


def outcome_words(code: str) -> str:
    if code in OUTCOMES:
        return OUTCOMES[code]
    words = foreign(code.replace("_", " "), NAME_LIMIT)
    return words[:1].upper() + words[1:]


def _reason(code: str) -> str:
    name = code.partition(":")[0]
    return REASONS.get(name) or foreign(name.replace("_", " "), NAME_LIMIT)


# --- what one dispatcher reads alone ----------------------------------------------------------------


def task_refusal_text(refusal: TaskRefusal, settled_by: str | None = None) -> str:
    """Why a press changed nothing. `settled_by` is the Slack id of whoever decided it."""
    decided = f"{mention(settled_by)} has settled this already." if settled_by else "This is settled already."
    return {
        TaskRefusal.ALREADY_SETTLED: decided,
        TaskRefusal.NOT_A_DISPATCHER: "You are not on the list of dispatchers, so nothing was changed.",
        TaskRefusal.NEEDS_SOMEBODY_ELSE: (
            "Your approval is counted already. It takes two people, so somebody else must approve it too."
        ),
        TaskRefusal.NOT_OFFERED: "That choice is gone, the task has changed since. Look at it again.",
    }[refusal]


def answer_text(answer: CommandAnswer, now: datetime) -> str:
    """What became of a command, in one or two sentences, or what was asked for."""
    if answer.code in _TOLD:
        return _TOLD[answer.code](answer, now)
    first = sentence(_ANSWERS[answer.code].format(**_parts(answer, now)).strip())
    why = reason_words(answer.reasons)
    detail = foreign(answer.detail, SENTENCE_LIMIT)
    page = link(answer.page_url, "Open it as a page") if answer.page_url else ""
    parts = [first, sentence(why[:1].upper() + why[1:]), sentence(detail), page]
    return " ".join(part for part in parts if part)


def _parts(answer: CommandAnswer, now: datetime) -> dict[str, str]:
    window = window_words(answer.window, answer.timezone, now) if answer.window else ""
    tracking = foreign(answer.tracking, NAME_LIMIT)
    platform = foreign(answer.platform, NAME_LIMIT)
    return {
        "stop": foreign(answer.address_line, NAME_LIMIT) or tracking or "The stop",
        "window": f", {window}" if window else "",
        "to_window": f" to {window}" if window else "",
        "tracking": f" ({tracking})" if tracking and answer.address_line else "",
        "platform": f" into {platform}" if platform else "",
        "there": platform or "the platform",
        "count": f" ({answer.count:,} stops)" if answer.count else "",
        "number": f" {number}" if (number := foreign(answer.number, NAME_LIMIT)) else "",
        "about": f": {about}" if (about := foreign(answer.address_line, NAME_LIMIT)) else "",
    }


_ANSWERS = {
    AnswerCode.STOP_ENTERED: "Entered{platform}: {stop}{window}{tracking}",
    AnswerCode.STOP_ALREADY_THERE: "Nothing was entered, it is there already: {stop}{window}{tracking}",
    AnswerCode.STOP_TO_BE_DECIDED: "Not entered yet, it was posted for a decision: {stop}{window}",
    AnswerCode.STOP_REFUSED: "Not entered: {stop}{window}",
    AnswerCode.WINDOW_MOVED: "Moved{to_window}: {stop}{tracking}",
    AnswerCode.WINDOW_REFUSED: "Not moved{to_window}: {stop}{tracking}",
    AnswerCode.CANCELLED: "Cancelled: {stop}{tracking}",
    AnswerCode.CANCEL_REFUSED: "Not cancelled: {stop}{tracking}",
    AnswerCode.NEEDS_A_SECOND: "Posted{count}. Your approval is counted, somebody else must approve it too",
    AnswerCode.NOTHING_FOUND: "Nothing was found that fits, so nothing was changed",
    AnswerCode.MANIFEST_POSTED: "The manifest is posted{count}",
    AnswerCode.NOT_A_DISPATCHER: "You are not on the list of dispatchers, so nothing was changed",
    AnswerCode.NOT_READABLE: "That could not be read, so nothing was changed",
    AnswerCode.NOT_POSSIBLE_THERE: "Nothing was changed: {there} cannot do that",
    AnswerCode.INCIDENT_MADE: "Incident{number} is made{about}",
    AnswerCode.INCIDENT_ALREADY_THERE: "There is an incident already,{number}{about}",
    AnswerCode.REPORT_READY: "The report{number} is ready{about}",
    AnswerCode.REVIEW_READY: "The review for{number} is ready",
    AnswerCode.FOLLOW_UP_DUE: "Yours, and due: a follow-up of incident{number}",
}


def _stop_words(answer: CommandAnswer, now: datetime) -> str:
    return stop_card_text(answer.stop, now) if answer.stop else "That stop is not there any more."


_TOLD: dict[AnswerCode, Callable[[CommandAnswer, datetime], str]] = {
    AnswerCode.STOP_SHOWN: _stop_words,
    AnswerCode.ON_CALL: on_call_text,
    AnswerCode.PAUSED: paused_text,
    AnswerCode.PAUSES: pauses_text,
    AnswerCode.PAUSE_LIFTED: lifted_text,
    AnswerCode.PAUSE_REFUSED: refused_text,
    AnswerCode.FOLLOW_UPS: follow_ups_text,
}
"""Answers that are more than a sentence, each with words of its own."""
