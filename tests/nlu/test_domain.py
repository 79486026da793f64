"""`nlu/` and the code name the same things: actions, slots, forms and responses."""

import itertools
import re
from datetime import timedelta

from actions import build_actions
from actions.errands.recovery_words import TOLD, WAYS
from actions.fallback import ASKABLE
from actions.reschedule import ASKED_ABOUT
from actions.status import Saying, describe
from actions.turns import ERRAND_SLOTS, FORM_SLOTS
from bot.conversations.clauses import SECOND
from bot.conversations.dialogue import PHOTO_ONLY
from bot.recovery.answers import Choice
from bot.recovery.dialogue import BEGINS
from bot.sop_recovery import Flow
from connectors.base import FailureReason, StopStatus
from tests.actions.facts import NOW, Facts, at, stop, window
from tests.nlu.reading import code_of, domain, load, responses, rule_steps, training_texts

NOT_TAUGHT = {PHOTO_ONLY.removeprefix("/"), BEGINS}

BY_HAND = {"utter_first_contact"}
"""Said by the app through a name that it builds, or from the next message kinds on."""


def sayings() -> list[Saying]:
    """Everything that can be said of a stop, over every state and every gap in what is known."""
    windows = (None, window(10, 11, 13), window(10, 14, 16), window(12, 8, 12))
    grid = itertools.product(
        StopStatus,
        windows,
        (None, at(10, 15, 22)),
        (None, 0, 1, 4),
        (False, True),
        (None, at(10, 9)),
        (None, *FailureReason),
    )
    return [
        describe(
            stop(
                status=status,
                window=promised,
                eta_at=eta,
                stops_away=away,
                stale=stale,
                data_at=NOW - timedelta(minutes=50),
                completed_at=done,
                failure_reason=reason,
            ),
            NOW,
            "en",
        )
        for status, promised, eta, away, stale, done, reason in grid
    ]


def intents_of_the_domain() -> set[str]:
    return {next(iter(intent)) if isinstance(intent, dict) else intent for intent in domain("intents")}


def slots_named_in_code() -> set[str]:
    code = code_of("actions")
    named = set(re.findall(r'(?:SlotSet|get_slot)\(\s*"(\w+)"', code))
    listed = set(FORM_SLOTS) | set(ERRAND_SLOTS)
    return (named | listed) - {"requested_slot"}


def follow_up_parts() -> set[str]:
    """The first question by flow, in full and again, with times to offer and without; what happened; the ways out."""
    questions = {
        f"{form}_{flow}" for form in ("ask", "again") for flow in Flow if flow is not Flow.DISPATCHER
    }
    timed = {f"{form}_{flow}" for form in ("ask", "again") for flow in (Flow.ACCESS_CODE, Flow.WINDOWS)}
    happened = {f"what_{reason.value}" for reason in (*TOLD, FailureReason.OTHER)}
    ways = {f"way_{way.value}" for way in (Choice.REATTEMPT, *WAYS)}
    return questions | {f"{question}_open" for question in timed} | happened | ways


def responses_named_outside_the_domain() -> set[str]:
    literal = set(re.findall(r'"(utter_\w+)"', code_of("actions", "bot")))
    ruled = {step["action"] for step in rule_steps() if str(step.get("action", "")).startswith("utter_")}
    asked = {f"utter_ask_when_{problem}" for problem in ASKED_ABOUT | {"another", "which_hours"}}
    asked |= {f"utter_ask_{step}" for step in ("neighbour", "safe_place")}
    offered = {f"utter_offer_{intent}" for intent in SECOND} | {
        f"utter_phrase_{intent}" for intent in ASKABLE
    }
    asked |= {f"utter_recovery_{part}" for part in follow_up_parts()}
    asked |= {f"utter_client_reason_{reason.value}" for reason in FailureReason}
    return literal | ruled | asked | offered | {saying.response for saying in sayings()}


def test_every_action_of_the_domain_is_code_and_the_reverse() -> None:
    built = {action.name() for action in build_actions(Facts().services())}
    assert built == set(domain("actions"))


def test_every_slot_of_the_domain_is_used_and_the_reverse() -> None:
    assert slots_named_in_code() == set(domain("slots"))


def test_every_form_has_its_validation_and_a_question_per_slot() -> None:
    actions = set(domain("actions"))
    for form, content in domain("forms").items():
        asked = {f"action_ask_{form}_{slot}" for slot in content["required_slots"]}
        assert asked | {f"validate_{form}"} <= actions, form


def test_every_response_that_is_named_exists_and_none_is_left_over() -> None:
    assert responses_named_outside_the_domain() | BY_HAND == set(responses())


def test_rules_name_only_what_the_domain_has() -> None:
    known = set(domain("actions")) | set(domain("forms")) | set(responses())
    intents = intents_of_the_domain() | {"nlu_fallback"}
    assert {step["action"] for step in rule_steps() if "action" in step} <= known
    assert {step["intent"] for step in rule_steps() if "intent" in step} == intents


def test_every_intent_of_the_domain_is_taught_and_the_reverse() -> None:
    assert {intent for intent, _ in training_texts()} == intents_of_the_domain() - NOT_TAUGHT


def test_the_session_lasts_long_enough_for_an_answer_the_next_morning() -> None:
    session = next(content["session_config"] for content in load("domain") if "session_config" in content)
    assert session["session_expiration_time"] >= 12 * 60


def test_every_saying_fills_all_that_its_response_leaves_open() -> None:
    for saying in sayings():
        given = set(saying.slots) | ({"by"} if saying.needs_person else set())
        for variant in responses()[saying.response]:
            assert set(re.findall(r"{(\w+)}", variant["text"])) <= given, saying
