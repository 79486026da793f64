"""Single actions through rasa_sdk's executor, against the facts of a small world."""

from typing import Any

from actions.booking import to_slot
from connectors.base import StopStatus
from tests.actions.facts import Conversation, Facts, stop, window

TWO = [
    stop("S1"),
    stop("S2", client="Nova", status=StopStatus.PLANNED, eta_at=None, window=window(10, 17, 19)),
]


async def test_the_only_stop_is_told_with_its_eta() -> None:
    said = await Conversation(Facts([stop()])).run("action_track", "where is it", "track_delivery")
    slots = {"parcel": "Acme parcel", "eta": "3:20 pm", "window": "2-4 pm", "stops": "4"}
    assert said.responses == [("utter_track_away", slots)]


async def test_two_stops_are_asked_about_and_the_answer_is_remembered() -> None:
    talk = Conversation(Facts(TWO))
    first = await talk.run("action_track", "is it coming today?", "track_delivery")
    assert (first.responses, first.followed_by) == ([], "which_stop_form")
    asked = await talk.run("action_ask_which_stop_form_chosen_stops", "is it coming today?", "track_delivery")
    listed = "1) Acme, Elm St, about 3:20 pm. 2) Nova, Elm St, 5-7 pm."
    assert asked.responses == [("utter_ask_which_of_two", {"count": "2", "options": listed})]
    await talk.run("validate_which_stop_form", "nova", "nlu_fallback", requested_slot="chosen_stops")
    told = await talk.run("action_track", "nova", "nlu_fallback")
    assert told.responses == [
        ("utter_track_planned", {"parcel": "Nova parcel", "window": "5-7 pm", "stops": "4"})
    ]
    assert talk.slots["chosen_stops"] is None


async def test_a_stop_named_in_the_question_needs_no_second_question() -> None:
    said = await Conversation(Facts(TWO)).run("action_track", "where is the nova parcel", "track_delivery")
    assert said.names == ["utter_track_planned"]


async def test_a_stranger_is_asked_for_the_tracking_number_and_told_nothing() -> None:
    talk = Conversation(Facts())
    await talk.run("action_track", "where is my delivery", "track_delivery")
    said = await talk.run("action_ask_which_stop_form_chosen_stops", "where is my delivery", "track_delivery")
    assert said.responses == [("utter_ask_tracking", {})]


async def test_another_wish_leaves_the_question_which_one() -> None:
    talk = Conversation(Facts(TWO), {"requested_slot": "chosen_stops", "stop_options": ["S1", "S2"]})
    said = await talk.run("validate_which_stop_form", "my box is crushed", "report_damaged_or_wrong")
    assert "action_execution_rejected" in said.events


async def test_the_second_answer_in_a_row_that_says_nothing_goes_to_a_person() -> None:
    talk = Conversation(Facts(TWO), {"requested_slot": "chosen_stops", "stop_options": ["S1", "S2"]})
    first = await talk.run("validate_which_stop_form", "blah", "nlu_fallback")
    second = await talk.run("validate_which_stop_form", "blub", "nlu_fallback")
    assert (first.followed_by, second.followed_by) == (None, "action_give_up")


async def test_a_time_in_the_first_text_is_read_back_at_once() -> None:
    talk = Conversation(Facts([stop()]))
    await talk.run("validate_reschedule_form", "can u come tmrw after 5", "reschedule_delivery")
    said = await talk.run(
        "action_ask_reschedule_form_booking", "can u come tmrw after 5", "reschedule_delivery"
    )
    assert said.responses == [("utter_ask_booking", {"window": "Tomorrow, Tue Jun 11, 5-9 pm"})]


async def test_only_a_yes_books_and_the_platforms_window_is_told() -> None:
    facts = Facts([stop()])
    talk = Conversation(facts, {"reschedule_stop": "S1", "new_window": to_slot(window(11, 17, 21))})
    said = await talk.run("validate_reschedule_form", "thanks so much", "thank", requested_slot="booking")
    assert "action_execution_rejected" in said.events
    await talk.run("validate_reschedule_form", "y", "confirm")
    assert talk.slots["booking"] == "yes"
    said = await talk.run("action_reschedule", "y", "confirm")
    assert facts.booked == [("S1", window(11, 17, 21))]
    assert said.responses == [("utter_booked", {"window": "tomorrow, Tue Jun 11, 5-9 pm"})]


async def test_a_no_asks_again_and_a_change_of_mind_replaces_the_window() -> None:
    slots = {"reschedule_stop": "S1", "new_window": to_slot(window(11, 17, 21)), "requested_slot": "booking"}
    changed = await Conversation(Facts([stop()]), dict(slots)).run(
        "validate_reschedule_form", "hmm actually thursday morning", "provide_time"
    )
    assert changed.slots["new_window"] == to_slot(window(13, 8, 12))
    refused = await Conversation(Facts([stop()]), dict(slots)).run("validate_reschedule_form", "no", "deny")
    assert (refused.slots["new_window"], refused.slots["time_problem"]) == (None, "another")


async def test_where_is_it_inside_the_form_is_left_to_the_rules() -> None:
    talk = Conversation(Facts([stop()]), {"reschedule_stop": "S1", "requested_slot": "new_window"})
    said = await talk.run("validate_reschedule_form", "where is it now", "track_delivery")
    assert said.events == ["action_execution_rejected"]


async def test_the_day_on_which_nobody_is_home_is_not_offered() -> None:
    talk = Conversation(Facts([stop()], offered=(window(11, 8, 12), window(12, 8, 12))))
    began: dict[str, Any] = {
        "reschedule_stop": "S1",
        "wish_text": "",
        "unwanted_text": "i wont be home tomorrow",
    }
    await talk.run("validate_reschedule_form", "1", "choose_option", **began)
    said = await talk.run("action_ask_reschedule_form_new_window", "1", "choose_option")
    assert said.responses == [("utter_ask_when", {"options": "1) Wed Jun 12, 8 am-12 pm."})]


async def test_a_platform_that_is_down_books_nothing_and_says_until_when_somebody_answers() -> None:
    slots = {"reschedule_stop": "S1", "new_window": to_slot(window(11, 17, 21)), "booking": "yes"}
    said = await Conversation(Facts([stop()], platform_is_down=True), slots).run(
        "action_reschedule", "y", "confirm"
    )
    filled = {"window": "Tomorrow, Tue Jun 11, 5-9 pm", "by": "1:45 pm"}
    assert said.responses == [("utter_reschedule_undecided", filled)]


async def test_a_stop_that_cannot_be_moved_goes_to_a_dispatcher_with_the_truth() -> None:
    facts = Facts([stop(can_change_window=False)])
    talk = Conversation(facts)
    await talk.run("validate_reschedule_form", "bring it tomorrow morning", "reschedule_delivery")
    said = await talk.run("action_reschedule", "bring it tomorrow morning", "reschedule_delivery")
    assert said.names == ["utter_reschedule_already_out"]
    assert facts.requested == [("reschedule", "S1", window(11, 8, 12), "")]


async def test_asking_for_a_person_closes_the_form_and_names_the_time() -> None:
    facts = Facts([stop()])
    talk = Conversation(facts, {"reschedule_stop": "S1", "requested_slot": "new_window"})
    said = await talk.run("action_hand_to_dispatcher", "want a human", "talk_to_human")
    assert said.responses == [("utter_handed_over_person", {"by": "1:45 pm"})]
    assert (talk.slots["requested_slot"], talk.slots["reschedule_stop"]) == (None, None)
    assert facts.asked_dispatcher == [("asked", "S1")]


async def test_a_question_in_passing_leaves_the_form_open() -> None:
    talk = Conversation(Facts([stop()]), {"reschedule_stop": "S1", "requested_slot": "new_window"})
    await talk.run("action_errand", "do you deliver on sundays", "delivery_info", form="reschedule_form")
    assert talk.slots["requested_slot"] == "new_window"


async def test_opting_out_reaches_the_ledger() -> None:
    facts = Facts([stop()])
    said = await Conversation(facts).run("action_opt_out", "stop texting me", "opt_out")
    assert facts.opted_out == ["C1"]
    assert said.responses == [("utter_opted_out", {"operator": "QuickShip"})]


async def test_misunderstanding_asks_once_and_then_hands_over() -> None:
    talk = Conversation(Facts([stop()]))
    names = [(await talk.run("action_default_fallback", "qwe", "nlu_fallback")).names[0] for _ in range(2)]
    assert names == ["utter_ask_rephrase", "utter_handed_over_misunderstood"]


async def test_a_tracking_number_is_answered_for_even_where_the_rest_is_not_understood() -> None:
    known = stop()
    said = await Conversation(Facts([known])).run(
        "action_default_fallback", f"uh {known.tracking} qwe", "nlu_fallback"
    )
    assert said.names == ["utter_track_away"]


async def test_an_understood_text_ends_a_row_of_misunderstandings() -> None:
    talk = Conversation(Facts([stop()]))
    await talk.run("action_default_fallback", "qwe", "nlu_fallback")
    await talk.run("action_track", "where is it", "track_delivery")
    said = await talk.run("action_default_fallback", "qwe", "nlu_fallback")
    assert said.names == ["utter_ask_rephrase"]
