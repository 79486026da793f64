"""Errands as their actions see them: what begins one, what it asks, and what it leaves done."""

from typing import Any

import pytest

from actions.errands.incidents import kind_of
from bot.stops.answers import IncidentKind, NoteOutcome, StopQuestion
from connectors.base import StopStatus
from tests.actions.facts import NOW, Conversation, Facts, at, stop, window

DELIVERED: dict[str, Any] = {"status": StopStatus.DELIVERED, "completed_at": at(10, 11, 40), "eta_at": None}


async def test_a_line_for_the_driver_is_written_and_told_without_its_code() -> None:
    facts = Facts([stop()])
    facts.note = NoteOutcome(result="noted", stop=stop(), has_code=True, place="behind the planter")
    said = await Conversation(facts).run(
        "action_errand", "gate is 7777# then leave it behind the planter", "delivery_instructions"
    )
    assert said.responses == [("utter_instructions_code_and_place", {"place": "behind the planter"})]
    assert facts.noted == [("S1", "gate is 7777# then leave it behind the planter")]


async def test_instructions_without_a_word_are_asked_for() -> None:
    facts = Facts([stop()])
    facts.note = NoteOutcome(result="nothing_said", stop=stop())
    talk = Conversation(facts)
    said = await talk.run("action_errand", "i have instructions for the driver", "delivery_instructions")
    assert (said.names, said.followed_by) == ([], "errand_form")
    asked = await talk.run(
        "action_ask_errand_form_errand_done", "i have instructions", "delivery_instructions"
    )
    assert asked.names == ["utter_ask_instructions"]
    facts.note = None
    told = await talk.run(
        "validate_errand_form",
        "ring twice",
        "delivery_instructions",
        form="errand_form",
        requested_slot="errand_done",
    )
    assert told.names == ["utter_instructions_noted"]
    assert facts.noted[-1] == ("S1", "ring twice")


async def test_cancelling_is_confirmed_before_anything_is_asked_of_dispatch() -> None:
    facts = Facts([stop()])
    talk = Conversation(facts)
    await talk.run("action_errand", "cancel my delivery", "cancel_delivery")
    asked = await talk.run("action_ask_errand_form_errand_done", "cancel my delivery", "cancel_delivery")
    assert asked.names == ["utter_ask_send_back"]
    assert facts.requested == []
    told = await talk.run(
        "validate_errand_form", "1", "choose_option", form="errand_form", requested_slot="errand_done"
    )
    assert told.names == ["utter_request_send_back"]
    assert facts.requested == [("send_back", "S1", None, "")]


@pytest.mark.parametrize(("text", "intent"), [("2", "choose_option"), ("no keep it", "deny"), ("no", "deny")])
async def test_a_parcel_that_is_kept_is_left_alone(text: str, intent: str) -> None:
    facts = Facts([stop()])
    talk = Conversation(facts)
    await talk.run("action_errand", "cancel my delivery", "cancel_delivery")
    told = await talk.run(
        "validate_errand_form", text, intent, form="errand_form", requested_slot="errand_done"
    )
    assert (told.names, facts.requested) == (["utter_kept"], [])


async def test_a_new_address_goes_to_dispatch_in_the_recipients_words() -> None:
    facts = Facts([stop()])
    said = await Conversation(facts).run(
        "action_errand", "wrong address, its 12 Oak Ave apt 4", "change_address"
    )
    assert said.names == ["utter_request_change_address"]
    assert facts.requested == [("change_address", "S1", None, "wrong address, its 12 Oak Ave apt 4")]


async def test_a_change_of_address_without_one_asks_for_it() -> None:
    talk = Conversation(Facts([stop()]))
    said = await talk.run("action_errand", "i need to change the address", "change_address")
    assert said.followed_by == "errand_form"
    asked = await talk.run("action_ask_errand_form_errand_done", "i need to change it", "change_address")
    assert asked.names == ["utter_ask_new_address"]


async def test_nobody_home_offers_four_ways_and_takes_the_neighbour() -> None:
    facts = Facts([stop()])
    talk = Conversation(facts)
    await talk.run("action_errand", "nobody will be home", "report_unavailable")
    asked = await talk.run("action_ask_errand_form_errand_done", "nobody will be home", "report_unavailable")
    assert asked.names == ["utter_ask_unavailable_today"]
    inside: dict[str, Any] = {"form": "errand_form", "requested_slot": "errand_done"}
    await talk.run("validate_errand_form", "2", "choose_option", **inside)
    assert talk.slots["errand_step"] == "neighbour"
    told = await talk.run("validate_errand_form", "mrs lee in 4b", "provide_reference", **inside)
    assert told.names == ["utter_instructions_noted"]
    assert facts.noted == [("S1", "Not home, leave with: mrs lee in 4b")]


async def test_nobody_home_and_a_time_becomes_another_window() -> None:
    talk = Conversation(Facts([stop()]))
    await talk.run("action_errand", "not home today", "report_unavailable")
    said = await talk.run(
        "validate_errand_form",
        "tomorrow after 5",
        "provide_time",
        form="errand_form",
        requested_slot="errand_done",
    )
    assert said.followed_by == "reschedule_form"
    assert (talk.slots["reschedule_stop"], talk.slots["wish_text"]) == ("S1", "tomorrow after 5")


async def test_missing_tells_what_the_proof_says_and_opens_an_incident() -> None:
    facts = Facts([stop(**DELIVERED)], proof={"link": "https://x/proof/t", "photos": 1})
    said = await Conversation(facts).run("action_errand", "says delivered but nothing here", "report_missing")
    assert said.names == ["utter_missing_proof", "utter_incident_opened"]
    assert facts.incidents == [(IncidentKind.MISSING, "S1")]


async def test_missing_before_it_came_is_told_as_it_stands() -> None:
    facts = Facts([stop()])
    said = await Conversation(facts).run("action_errand", "i never got it", "report_missing")
    assert (said.names, facts.incidents) == (["utter_track_away"], [])


async def test_damage_asks_for_a_photo_once_and_keeps_it() -> None:
    facts = Facts([stop(**DELIVERED)])
    talk = Conversation(facts)
    await talk.run("action_errand", "box is crushed", "report_damaged_or_wrong")
    inside: dict[str, Any] = {"form": "errand_form", "requested_slot": "errand_done"}
    asked = await talk.run("action_ask_errand_form_errand_done", "box is crushed", "report_damaged_or_wrong")
    assert asked.names == ["utter_ask_photo"]
    told = await talk.run("validate_errand_form", "/send_photo", "send_photo", photos=2, **inside)
    assert (told.names, facts.photos) == (["utter_incident_photo"], 2)


async def test_no_photo_is_fine() -> None:
    facts = Facts([stop(**DELIVERED)])
    talk = Conversation(facts)
    await talk.run("action_errand", "box is crushed", "report_damaged_or_wrong")
    told = await talk.run(
        "validate_errand_form", "i cant send one", "deny", form="errand_form", requested_slot="errand_done"
    )
    assert told.names == ["utter_no_photo_needed"]


async def test_a_question_in_the_middle_is_left_to_who_can_answer_it() -> None:
    talk = Conversation(Facts([stop()]))
    await talk.run("action_errand", "cancel my delivery", "cancel_delivery")
    said = await talk.run(
        "validate_errand_form",
        "where is it now?",
        "track_delivery",
        form="errand_form",
        requested_slot="errand_done",
    )
    assert said.events == ["action_execution_rejected"]


async def test_which_stop_is_asked_when_there_are_two_and_the_errand_goes_on_with_its_own_text() -> None:
    facts = Facts([stop("S1"), stop("S2", client="Nova", address_line="9 Pine St")])
    talk = Conversation(facts)
    said = await talk.run("action_errand", "leave it behind the shed", "delivery_instructions")
    assert (talk.slots["errand_step"], said.followed_by) == ("which", "errand_form")
    told = await talk.run(
        "validate_errand_form", "nova", "choose_option", form="errand_form", requested_slot="errand_done"
    )
    assert told.names == ["utter_instructions_noted"]
    assert facts.noted == [("S2", "leave it behind the shed")]


async def test_a_locked_session_reaches_a_person() -> None:
    facts = Facts([], found=StopQuestion(kind="proof_locked", now=NOW))
    said = await Conversation(facts).run("action_errand", "leave it outside", "delivery_instructions")
    assert said.names == ["utter_proof_locked"]
    assert facts.asked_dispatcher == [("proof_locked", None)]


async def test_the_second_of_two_requests_is_offered_and_a_yes_begins_it() -> None:
    facts = Facts([stop()])
    talk = Conversation(
        facts, {"second_request": {"intent": "delivery_instructions", "text": "leave it outside"}}
    )
    said = await talk.run("action_track", "where is it", "track_delivery")
    assert said.names == ["utter_track_away", "utter_offer_delivery_instructions"]
    talk.slots["offer"] = {**talk.slots["offer"], "after": ""}
    told = await talk.run("action_answer_offer", "yes", "confirm")
    assert told.names == ["utter_instructions_noted"]
    assert facts.noted == [("S1", "leave it outside")]


async def test_an_unsure_text_becomes_a_question_of_its_two_likeliest_meanings() -> None:
    talk = Conversation(Facts([stop()]))
    ranking = [("nlu_fallback", 0.7), ("reschedule_delivery", 0.4), ("cancel_delivery", 0.3)]
    said = await talk.run("action_default_fallback", "not today", "nlu_fallback", ranking=ranking)
    assert said.responses == [
        ("utter_ask_either", {"first": "reschedule_delivery", "second": "cancel_delivery"})
    ]
    talk.slots["offer"] = {**talk.slots["offer"], "after": ""}
    told = await talk.run("action_answer_offer", "2", "choose_option")
    assert (talk.slots["errand"], told.followed_by) == ("cancel_delivery", "errand_form")


async def test_on_the_way_is_told_to_the_driver_only_when_minutes_matter() -> None:
    near = Facts([stop(stops_away=1, eta_at=at(10, 13, 40))])
    said = await Conversation(near).run("action_errand", "be there in 5", "running_late")
    assert (said.names, near.noted[0][0]) == (["utter_driver_told"], "S1")
    far = Facts([stop()])
    said = await Conversation(far).run("action_errand", "be there in 5", "running_late")
    assert (said.names, far.noted) == (["utter_there_is_time"], [])


async def test_a_general_question_is_answered_by_the_protocol_or_by_a_person() -> None:
    facts = Facts([stop()], faq={"sunday": "We deliver Monday to Saturday."})
    talk = Conversation(facts)
    said = await talk.run("action_errand", "do you deliver on sunday", "delivery_info")
    assert said.responses == [("utter_faq", {"answer": "We deliver Monday to Saturday."})]
    said = await talk.run("action_errand", "do your vans run on diesel", "delivery_info")
    assert said.names == ["utter_handed_over_question"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("the box is crushed", IncidentKind.DAMAGED),
        ("this is the wrong lamp", IncidentKind.WRONG),
        ("only got half of my order", IncidentKind.INCOMPLETE),
        ("la caja vino vacia", IncidentKind.INCOMPLETE),
        ("me mandaron otra cosa", IncidentKind.WRONG),
    ],
)
def test_what_is_wrong_is_told_by_the_words(text: str, kind: IncidentKind) -> None:
    assert kind_of(text) is kind


async def test_a_stop_that_only_dispatch_can_move_becomes_a_request() -> None:
    facts = Facts([stop(status=StopStatus.FAILED, can_change_window=False, eta_at=None)])
    talk = Conversation(facts, {"reschedule_stop": "S1", "new_window": None})
    await talk.run("validate_reschedule_form", "try again tomorrow morning", "reschedule_delivery")
    said = await talk.run("action_reschedule", "try again tomorrow morning", "reschedule_delivery")
    assert said.names == ["utter_reschedule_second_try"]
    assert facts.requested == [("redeliver", "S1", window(11, 8, 12), "")]
