"""A delivery that failed, as the actions see it: what is asked, read out of one text, read back and done."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.recovery.answers import Choice, FollowUpQuestion, Preference
from bot.sop_recovery import Flow, PickUpPoint
from connectors.base import FailureReason, StopStatus
from tests.actions.facts import NOW, Conversation, Facts, Said, at, stop, window

TODAY = window(10, 16, 18)
TOMORROW = window(11, 8, 12)
ALL_WAYS = frozenset({"neighbour", "safe_place", "pick_up", "return"})


def failed(flow: Flow, reason: FailureReason = FailureReason.ACCESS_ISSUE, **more: Any) -> Facts:
    """One Acme parcel that failed at 11:40, today's four to six and tomorrow morning on offer."""
    usual: dict[str, Any] = {
        "recovery_id": "R1",
        "stop": stop(status=StopStatus.FAILED, completed_at=at(10, 11, 40), failure_reason=reason),
        "flow": flow,
        "reason": reason,
        "failed_at": at(10, 11, 40),
        "attempt": 1,
        "offers": (TODAY, TOMORROW),
        "alternatives": ALL_WAYS,
    }
    question = FollowUpQuestion(**(usual | more))
    return Facts([question.stop], followed=question)


class Talk:
    """What Rasa does with the errand form: begin it, and hand each text to it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.conversation = Conversation(facts)

    async def is_asked(self, **facts: str) -> Said:
        begun = ("EXTERNAL_failed_delivery", {"recovery": "R1", **facts})
        await self.conversation.begins(*begun)
        return await self.conversation.begins(*begun, action="action_ask_errand_form_errand_done")

    async def says(self, text: str, intent: str, confidence: float = 0.9) -> Said:
        taken = await self.conversation.run(
            "validate_errand_form", text, intent, confidence, form="errand_form", requested_slot="errand_done"
        )
        waits = self.conversation.slots.get("errand_step") and not taken.responses
        if not waits or "slot" not in taken.events:
            return taken
        return await self.conversation.run("action_ask_errand_form_errand_done", text, intent)

    @property
    def wanted(self) -> Preference:
        (preference,) = self.facts.answered
        return preference


@pytest.mark.parametrize(
    ("flow", "reason", "response", "slots"),
    [
        (Flow.ACCESS_CODE, FailureReason.ACCESS_ISSUE, "access_code", {"window": "today, 4-6 pm"}),
        (
            Flow.WINDOWS,
            FailureReason.VEHICLE,
            "windows",
            {"options": "1) Today, 4-6 pm. 2) Tomorrow, Tue Jun 11, 8 am-12 pm."},
        ),
        (Flow.ADDRESS, FailureReason.ADDRESS_ISSUE, "address", {}),
    ],
)
async def test_the_first_question_says_who_what_and_when(
    flow: Flow, reason: FailureReason, response: str, slots: Mapping[str, str]
) -> None:
    asked = await Talk(failed(flow, reason)).is_asked()
    what = {"who": "QuickShip for Acme", "what": f"utter_recovery_what_{reason.value}", "when": "11:40 am"}
    assert asked.responses == [(f"utter_recovery_ask_{response}", {**what, **slots})]


async def test_only_what_the_protocol_allows_is_offered_by_number() -> None:
    facts = failed(Flow.ALTERNATIVES, FailureReason.REFUSED, alternatives=frozenset({"return", "neighbour"}))
    asked = await Talk(facts).is_asked()
    ways = "1) utter_recovery_way_reattempt. 2) utter_recovery_way_neighbour. 3) utter_recovery_way_return."
    assert asked.responses[0][1]["options"] == ways


async def test_a_reminder_is_shorter() -> None:
    asked = await Talk(failed(Flow.ACCESS_CODE)).is_asked(is_reminder="yes")
    assert asked.responses == [
        ("utter_recovery_again_access_code", {"parcel": "Acme parcel", "window": "today, 4-6 pm"})
    ]


async def test_nothing_is_offered_where_nothing_can_be_booked() -> None:
    asked = await Talk(failed(Flow.WINDOWS, offers=())).is_asked()
    assert asked.names == ["utter_recovery_ask_windows_open"]


async def test_one_text_with_code_and_day_is_booked_without_another_question() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    await talk.is_asked()
    said = await talk.says("7777#. today works", "delivery_instructions")
    assert said.responses == [("utter_recovery_booked_code", {"window": "today, 4-6 pm"})]
    assert talk.wanted == Preference(window=TODAY, has_code=True, code_inbound_id="I1")


async def test_a_code_alone_takes_the_time_that_was_offered_with_it() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    await talk.is_asked()
    await talk.says("code 7777", "provide_reference")
    assert (talk.wanted.window, talk.wanted.has_code) == (TODAY, True)


async def test_where_the_time_that_was_offered_has_gone_the_next_one_is_read_back() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    await talk.is_asked()
    assert talk.facts.followed is not None
    talk.facts.followed = talk.facts.followed.model_copy(update={"offers": (TOMORROW,)})
    said = await talk.says("the code is 7777#", "delivery_instructions")
    assert said.responses == [("utter_recovery_confirm_code", {"window": "Tomorrow, Tue Jun 11, 8 am-12 pm"})]
    said = await talk.says("ok", "confirm")
    assert said.names == ["utter_recovery_booked_code"]
    assert talk.wanted.window == TOMORROW


async def test_another_time_with_the_code_is_read_back_first() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    await talk.is_asked()
    read_back = await talk.says("gate 7777# but tomorrow after 5", "delivery_instructions")
    assert read_back.responses == [
        ("utter_recovery_confirm_code", {"window": "Tomorrow, Tue Jun 11, 5-9 pm"})
    ]
    assert talk.facts.answered == []
    await talk.says("yes", "confirm")
    assert (talk.wanted.window, talk.wanted.code_inbound_id) == (window(11, 17, 21), "I1")


async def test_a_time_without_the_code_asks_how_to_get_in() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    await talk.is_asked()
    assert (await talk.says("today is fine", "provide_time")).names == ["utter_recovery_ask_code"]
    said = await talk.says("no code, just buzz 2B", "delivery_instructions")
    assert said.names == ["utter_recovery_booked"]
    assert (talk.wanted.window, talk.wanted.has_code, talk.wanted.note) == (
        TODAY,
        False,
        "no code, just buzz 2B",
    )


async def test_a_listed_time_by_number_is_booked_at_once() -> None:
    talk = Talk(failed(Flow.WINDOWS, FailureReason.RECIPIENT_UNAVAILABLE))
    await talk.is_asked()
    said = await talk.says("2", "choose_option")
    assert said.names == ["utter_recovery_booked"]
    assert talk.wanted == Preference(window=TOMORROW)


async def test_a_change_of_mind_before_the_yes_counts() -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    assert (
        "Tue Jun 11, 5-9 pm"
        in (await talk.says("tomorrow after 5", "provide_time")).responses[0][1]["window"]
    )
    again = await talk.says("actually make it thursday after 5", "provide_time")
    assert "Thu Jun 13, 5-9 pm" in again.responses[0][1]["window"]
    await talk.says("y", "confirm")
    assert talk.wanted.window == window(13, 17, 21)


async def test_a_no_to_what_was_read_back_asks_again() -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    await talk.says("tomorrow after 5", "provide_time")
    assert (await talk.says("no", "deny")).names == ["utter_ask_when_another"]
    assert talk.facts.answered == []


async def test_a_neighbor_and_a_day_of_the_list_in_one_text_need_no_second_yes() -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    said = await talk.says("leave it with the lady next door tomorrow", "delivery_instructions")
    spoken = {"window": "tomorrow, Tue Jun 11, 8 am-12 pm", "place": "with the lady next door"}
    assert said.responses == [("utter_recovery_booked_place", spoken)]
    assert talk.wanted == Preference(
        choice=Choice.NEIGHBOUR, window=TOMORROW, place="with the lady next door"
    )


async def test_a_neighbor_on_a_day_that_was_not_listed_is_read_back_whole() -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    said = await talk.says("thursday, leave it with the lady next door", "delivery_instructions")
    spoken = {"window": "Thu Jun 13, 8 am-12 pm", "place": "with the lady next door"}
    assert said.responses == [("utter_recovery_confirm_place", spoken)]
    await talk.says("yes please", "confirm")
    assert talk.wanted.window == window(13, 8, 12)


async def test_a_safe_place_by_number_is_asked_where() -> None:
    talk = Talk(failed(Flow.ALTERNATIVES, FailureReason.REFUSED))
    await talk.is_asked()
    assert (await talk.says("3", "choose_option")).names == ["utter_ask_safe_place"]
    said = await talk.says("behind the planter", "delivery_instructions")
    assert said.names == ["utter_recovery_confirm_place"]
    await talk.says("ok", "confirm")
    assert talk.wanted == Preference(choice=Choice.SAFE_PLACE, window=TODAY, place="behind the planter")


async def test_sending_it_back_is_confirmed_once() -> None:
    facts = failed(Flow.ALTERNATIVES, FailureReason.REFUSED)
    facts.outcome = {"result": "asked_dispatcher", "respond_by": NOW}
    talk = Talk(facts)
    await talk.is_asked()
    assert (await talk.says("send it back", "cancel_delivery")).names == ["utter_ask_send_back"]
    assert facts.answered == []
    assert (await talk.says("1", "choose_option")).names == ["utter_request_send_back"]
    assert talk.wanted.choice is Choice.SEND_BACK


async def test_keeping_it_after_all_asks_when() -> None:
    talk = Talk(failed(Flow.ALTERNATIVES, FailureReason.REFUSED))
    await talk.is_asked()
    await talk.says("send it back", "cancel_delivery")
    assert (await talk.says("2", "choose_option")).names == ["utter_ask_when"]
    assert talk.facts.answered == []


async def test_a_way_that_the_protocol_does_not_allow_is_not_promised() -> None:
    talk = Talk(failed(Flow.WINDOWS, alternatives=frozenset()))
    await talk.is_asked()
    said = await talk.says("leave it with my neighbor", "delivery_instructions")
    assert said.names == ["utter_recovery_no_such_way"]
    assert talk.facts.answered == []


async def test_of_two_pick_up_points_one_is_chosen() -> None:
    points = (PickUpPoint(name="our depot, 8 Dock Rd"), PickUpPoint(name="Kiosk, Elm Sq"))
    facts = failed(Flow.WINDOWS, pick_up_points=points)
    facts.outcome = {"result": "pick_up"}
    talk = Talk(facts)
    await talk.is_asked()
    asked = await talk.says("ill pick it up myself", "provide_reference")
    assert asked.responses == [
        ("utter_recovery_ask_point", {"options": "1) our depot, 8 Dock Rd. 2) Kiosk, Elm Sq."})
    ]
    told = await talk.says("2", "choose_option")
    assert told.responses == [("utter_recovery_pick_up", {"place": "Kiosk, Elm Sq"})]
    assert talk.wanted.pick_up_point == "Kiosk, Elm Sq"


async def test_the_only_pick_up_point_is_named_at_once() -> None:
    facts = failed(Flow.WINDOWS, pick_up_points=(PickUpPoint(name="our depot, 8 Dock Rd"),))
    facts.outcome = {"result": "pick_up"}
    talk = Talk(facts)
    await talk.is_asked()
    told = await talk.says("ill pick it up myself", "provide_reference")
    assert told.responses == [("utter_recovery_pick_up", {"place": "our depot, 8 Dock Rd"})]


async def test_a_corrected_address_is_a_dispatchers_and_keeps_its_time() -> None:
    facts = failed(Flow.ADDRESS, FailureReason.ADDRESS_ISSUE)
    facts.outcome = {"result": "asked_dispatcher", "respond_by": at(10, 14)}
    talk = Talk(facts)
    await talk.is_asked()
    told = await talk.says("its 41 Elm St apt 3, tomorrow after 5", "change_address")
    assert told.names == ["utter_request_change_address"]
    assert talk.wanted.address == "its 41 Elm St apt 3, tomorrow after 5"
    assert talk.wanted.window == window(11, 17, 21)


async def test_the_address_alone_is_enough() -> None:
    facts = failed(Flow.ADDRESS, FailureReason.ADDRESS_ISSUE)
    facts.outcome = {"result": "asked_dispatcher", "respond_by": at(10, 14)}
    talk = Talk(facts)
    await talk.is_asked()
    told = await talk.says("41 Elm St, 10001", "change_address")
    assert told.responses == [("utter_request_change_address", {"parcel": "Acme parcel", "by": "2 pm"})]
    assert talk.wanted.address == "41 Elm St, 10001"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("who is this", "bot_challenge"),
        ("where is it now", "track_delivery"),
        ("i want to talk to a person", "talk_to_human"),
        ("thanks", "thank"),
    ],
)
async def test_something_else_is_left_to_its_own_rule(text: str, intent: str) -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    assert (await talk.says(text, intent)).events == ["action_execution_rejected"]
    assert talk.facts.answered == []


async def test_the_question_comes_back_shorter_after_something_else() -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    again = await talk.conversation.run("action_ask_errand_form_errand_done", "where is it", "track_delivery")
    assert again.names == ["utter_recovery_again_windows"]


async def test_never_mind_books_nothing() -> None:
    talk = Talk(failed(Flow.WINDOWS))
    await talk.is_asked()
    assert (await talk.says("never mind", "deny")).names == ["utter_recovery_left"]
    assert talk.facts.answered == []


async def test_a_late_answer_to_what_is_booked_offers_another_time() -> None:
    facts = failed(Flow.WINDOWS, preference=Preference(window=TOMORROW))
    talk = Talk(facts)
    await talk.is_asked()
    said = await talk.says("ok", "confirm")
    assert said.responses == [("utter_recovery_already", {"window": "tomorrow, Tue Jun 11, 8 am-12 pm"})]
    await talk.says("thursday after 5", "provide_time")
    await talk.says("yes", "confirm")
    assert talk.wanted.window == window(13, 17, 21)


async def test_a_window_that_is_gone_meanwhile_is_asked_again() -> None:
    facts = failed(Flow.WINDOWS)
    facts.outcome = {"result": "not_bookable", "problem": "full"}
    talk = Talk(facts)
    await talk.is_asked()
    assert (await talk.says("1", "choose_option")).names == ["utter_ask_when_full"]


async def test_what_the_platform_cannot_take_now_is_not_promised() -> None:
    facts = failed(Flow.WINDOWS)
    facts.outcome = {"result": "platform_down"}
    talk = Talk(facts)
    await talk.is_asked()
    said = await talk.says("1", "choose_option")
    assert said.responses == [("utter_recovery_writing", {"window": "Today, 4-6 pm"})]


async def test_a_text_after_the_end_means_what_it_would_mean_without_the_question() -> None:
    facts = failed(Flow.WINDOWS)
    talk = Talk(facts)
    await talk.is_asked()
    facts.followed = None
    said = await talk.conversation.run(
        "validate_errand_form",
        "where is it",
        "track_delivery",
        form="errand_form",
        requested_slot="errand_done",
    )
    assert said.followed_by == "action_track"
    assert said.slots["errand"] is None


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("gate is 7777#", "delivery_instructions"),
        ("nobody will be home today", "report_unavailable"),
        ("wrong address its 41 Elm St", "change_address"),
        ("send it back please", "cancel_delivery"),
    ],
)
async def test_who_writes_about_the_failed_stop_joins_its_follow_up(text: str, intent: str) -> None:
    facts = failed(Flow.WINDOWS)
    said = await Conversation(facts).run("action_errand", text, intent)
    assert said.slots["errand"] == "follow_up" or facts.answered
    assert facts.requested == []


async def test_another_time_for_the_failed_stop_joins_its_follow_up() -> None:
    facts = failed(Flow.WINDOWS)
    talk = Conversation(facts)
    moved = await talk.run("validate_reschedule_form", "can you come tomorrow after 5", "reschedule_delivery")
    assert moved.followed_by == "action_follow_up"
    taken = await talk.run("action_follow_up", "can you come tomorrow after 5", "reschedule_delivery")
    assert taken.slots["errand_step"] == "confirm"
    assert taken.followed_by == "errand_form"
    assert facts.requested == []


async def test_without_a_follow_up_a_dispatcher_is_asked_as_ever() -> None:
    facts = failed(Flow.WINDOWS)
    facts.followed = None
    talk = Conversation(facts)
    moved = await talk.run("validate_reschedule_form", "can you come tomorrow after 5", "reschedule_delivery")
    assert moved.followed_by is None
    assert moved.slots["new_window"] is not None


async def test_nothing_is_said_into_a_conversation_that_began_meanwhile() -> None:
    talk = Conversation(failed(Flow.WINDOWS))
    wrote = {"event": "user", "metadata": {"inbound_id": "I1"}, "timestamp": 20.0}
    facts = {"recovery": "R1", "seen_until": "10.0"}
    said = await talk.begins("EXTERNAL_failed_delivery", facts, before=[wrote])
    assert (said.followed_by, said.slots) == ("action_listen", {})
    seen = await talk.begins("EXTERNAL_failed_delivery", facts | {"seen_until": "20.0"}, before=[wrote])
    assert seen.followed_by == "errand_form"


@pytest.mark.parametrize("form", ["reschedule_form", "errand_form", "which_stop_form"])
async def test_no_form_takes_our_own_beginning_for_an_answer(form: str) -> None:
    talk = Conversation(failed(Flow.WINDOWS))
    said = await talk.begins(
        "EXTERNAL_failed_delivery", {"recovery": "R1"}, action=f"validate_{form}", form=form
    )
    assert said.events == ["action_execution_rejected"]


@pytest.mark.parametrize(
    ("flow", "text", "intent"),
    [
        (Flow.ALTERNATIVES, "tomorrow 8 to 12", "provide_time"),
        (Flow.ACCESS_CODE, "gate 7777#, tomorrow 8 to 12", "delivery_instructions"),
    ],
)
async def test_a_time_that_was_not_in_the_question_is_read_back(flow: Flow, text: str, intent: str) -> None:
    talk = Talk(failed(flow))
    await talk.is_asked()
    said = await talk.says(text, intent)
    assert said.responses[0][1]["window"] == "Tomorrow, Tue Jun 11, 8 am-12 pm"
    assert talk.facts.answered == []
    await talk.says("yes", "confirm")
    assert talk.wanted.window == TOMORROW


async def test_a_number_beyond_what_was_listed_books_nothing() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    await talk.is_asked()
    await talk.says("2", "choose_option")
    assert talk.facts.answered == []
    assert talk.conversation.slots["errand_data"].get("window") is None


async def test_a_code_that_was_forgotten_before_the_yes_is_not_said_to_be_there() -> None:
    talk = Talk(failed(Flow.ACCESS_CODE))
    talk.facts.outcome = {**talk.facts.outcome, "lacks_code": True}
    await talk.is_asked()
    said = await talk.says("code 7777", "provide_reference")
    assert said.names == ["utter_recovery_booked"]
