"""From a step that is due to a key that is pressed: the real application, the real SDK, a pretended Twilio."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlmodel import col

from bot.escalations.models import EscalationStep
from bot.oncall.people import OnCallPerson
from bot.paging.models import Outcome, Page, PageState
from connectors.emulation import Fault
from connectors.escalation import EscalationState, Happening
from connectors.twilio.emulator_rules import twilio_fault
from tests.bot.paging.conftest import DANA, SAM, Phones
from tests.harness.forgery import post_twilio
from tests.harness.waiting import eventually

CALLED, CALL_OVER = Happening.CALLED, Happening.CALL_OVER


async def until_called(phones: Phones, phone: str = DANA) -> None:
    """Past the text to the call to Dana, or past that to the call to Sam."""
    await phones.late_stop()
    await phones.world.advance(minutes=5)
    await phones.world.advance(minutes=5)
    if phone == SAM:
        await phones.quiet()
        await phones.world.advance(minutes=5)


async def test_key_1_takes_it_and_the_message_in_slack_says_so(phones: Phones) -> None:
    phones.do(DANA, keys=("1",))
    await until_called(phones)
    await phones.quiet()
    (call,) = phones.calls()
    assert call.heard == (
        "This is QuickShip. One stop at risk of being late, North, Acme, $75 at stake.",
        "Press 1 to take it. Press 2 to hear it again.",
        "You have it. Nobody else is called now.",
        "Goodbye.",
    )
    found = await phones.escalation()
    assert (found.state, found.acknowledged_by) == (EscalationState.ACKNOWLEDGED, "U0DANA")
    assert "<@U0DANA>" in str(await phones.world.channel_shows("At risk"))
    assert (await phones.told())[-2:] == [(CALLED, "Dana", ""), (CALL_OVER, "Dana", "acknowledged")]
    await phones.world.advance(minutes=10)
    await phones.quiet()
    assert phones.calls(SAM) == []


async def test_key_2_and_no_key_hear_it_again_and_not_for_ever(phones: Phones) -> None:
    phones.do(DANA, keys=("2", "", "7"))
    await until_called(phones)
    await phones.quiet()
    (call,) = phones.calls(DANA)
    assert sum("Press 1" in line for line in call.heard) == 3
    assert call.heard[-1] == "No key was pressed, so somebody else is called. Goodbye."
    assert (await phones.escalation()).state is EscalationState.RAISED
    assert (await phones.told())[-1] == (CALL_OVER, "Dana", "hung_up")


@pytest.mark.parametrize(
    ("habit", "outcome"),
    [
        ({"kind": "busy"}, Outcome.BUSY),
        ({"kind": "no-answer"}, Outcome.NO_ANSWER),
        ({"kind": "failed"}, Outcome.FAILED),
        ({"kind": "voicemail", "keys": ("1",)}, Outcome.VOICEMAIL),
        ({"hangs_up_after_seconds": 2}, Outcome.HUNG_UP),
    ],
)
async def test_a_call_that_reaches_nobody_is_told_and_the_next_one_is_called(
    phones: Phones, habit: dict[str, object], outcome: Outcome
) -> None:
    phones.do(DANA, **habit)
    phones.do(SAM, keys=("1",))
    await until_called(phones, SAM)
    await phones.quiet()
    told = await phones.told()
    assert (CALL_OVER, "Dana", outcome.value) in told
    assert (await phones.escalation()).acknowledged_by == "U0SAM"
    (call,) = phones.calls(SAM)
    assert call.heard[0].startswith("Le llama QuickShip. Una parada en riesgo de llegar tarde, North, Acme")
    assert set(call.languages) == {"es-US"}


async def test_a_call_ends_when_somebody_takes_it_in_slack(phones: Phones) -> None:
    phones.world.twilio.pace_seconds = 0.05
    phones.do(DANA, rings_seconds=24)
    await until_called(phones)
    await eventually(_ringing(phones), bool, "a phone that rings")
    world = phones.world
    await world.dispatcher("U0SAM").presses(await world.channel_shows("At risk"), "acknowledge")
    await phones.quiet()
    (call,) = phones.calls()
    assert (call.status, call.heard) == ("canceled", ())
    assert (await phones.told())[-1] == (CALL_OVER, "Dana", "stopped")
    assert (await phones.escalation()).acknowledged_by == "U0SAM"


def _ringing(phones: Phones) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        (page,) = await phones.calls_to(DANA)
        return page.state is PageState.RINGING

    return look


async def test_who_answers_later_hears_who_has_it(phones: Phones) -> None:
    phones.world.twilio.pace_seconds = 0.05
    phones.do(DANA, presses_after_seconds=20, keys=("1",))
    await until_called(phones)
    await eventually(_heard(phones), bool, "somebody who listens")
    world = phones.world
    # The call to be ended is not, for a moment: the key is pressed before.
    world.twilio.faults.next(*(Fault("status", status=503, path_contains="/Calls/CA") for _ in range(9)))
    await world.dispatcher("U0SAM").presses(await world.channel_shows("At risk"), "acknowledge")
    await eventually(
        lambda: phones.escalation(), lambda row: row.acknowledged_by == "U0SAM", "Sam to have it"
    )
    await world.twilio.settled()
    (call,) = phones.calls()
    assert call.heard[-2:] == ("Sam has it already. Thank you.", "Goodbye.")
    assert (await phones.escalation()).acknowledged_by == "U0SAM"


def _heard(phones: Phones) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return any(call.heard for call in phones.calls())

    return look


async def test_a_stop_that_is_delivered_meanwhile_is_over_on_the_phone_too(phones: Phones) -> None:
    phones.do(DANA, kind="no-answer")
    await until_called(phones)
    await phones.quiet()
    (page,) = await phones.calls_to(DANA)
    tracking = next(iter(phones.world.onfleet.store.tasks.values()))["shortId"]
    await phones.world.delivers(tracking)
    await phones.world.tick()
    form = {"CallSid": page.vendor_id or "", "CallStatus": "in-progress", "Digits": "1"}
    answer = await post_twilio(phones.world, form, f"voice?page={page.token}&turn=1")
    assert "It is over by now" in answer.text
    assert (await phones.escalation()).acknowledged_by is None


# --- certain delivery -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset", "malformed"])
async def test_a_lost_answer_is_no_second_call(phones: Phones, kind: str) -> None:
    phones.do(DANA, kind="no-answer")
    await phones.late_stop()
    await phones.world.advance(minutes=5)
    phones.world.twilio.faults.next(Fault(kind, after_work=True, path_contains="/Calls.json"))  # type: ignore[arg-type]
    await phones.world.advance(minutes=5)
    await phones.quiet()
    await phones.world.retries()
    await phones.quiet()
    (call,) = phones.calls(DANA)
    (page,) = await phones.calls_to(DANA)
    assert (page.vendor_id, page.outcome) == (call.sid, Outcome.NO_ANSWER)


async def test_a_call_that_left_before_anything_was_committed_is_found_not_repeated(phones: Phones) -> None:
    """As after a kill between the request and the commit: the carrier has the call, its news are lost too."""
    phones.do(DANA, kind="busy", rings_seconds=0)
    phones.world.twilio.phones.loses_news = True
    fault = Fault("reset", after_work=True, path_contains="/Calls.json")
    await phones.late_stop()
    await phones.world.advance(minutes=5)
    phones.world.twilio.faults.next(fault)
    await phones.world.advance(minutes=5)
    await phones.quiet()
    (page,) = await phones.calls_to(DANA)
    assert (page.state, page.vendor_id) == (PageState.CALLING, None)
    await phones.world.retries()
    await phones.quiet()
    (call,), (page,) = phones.calls(DANA), await phones.calls_to(DANA)
    assert (page.vendor_id, page.outcome) == (call.sid, Outcome.BUSY)


async def test_news_that_never_came_are_asked_for(phones: Phones) -> None:
    phones.do(DANA, hangs_up_after_seconds=1)
    phones.world.twilio.phones.loses_news = True
    await until_called(phones)
    await phones.quiet()
    assert (await phones.calls_to(DANA))[0].state is not PageState.OVER
    phones.world.clock.move(timedelta(minutes=2))
    assert await phones.world.doorline.services.calls.watch() == 1
    await phones.quiet()
    assert (await phones.calls_to(DANA))[0].outcome is Outcome.HUNG_UP
    assert await phones.world.doorline.services.calls.watch() == 0


async def test_a_carrier_that_is_down_is_tried_again(phones: Phones) -> None:
    phones.do(DANA, keys=("1",))
    await phones.late_stop()
    await phones.world.advance(minutes=5)
    phones.world.twilio.faults.next(Fault("status", status=503, path_contains="/Calls.json"))
    await phones.world.advance(minutes=5)
    await phones.quiet()
    assert phones.calls(DANA) == []
    await phones.world.retries()
    await phones.quiet()
    assert len(phones.calls(DANA)) == 1
    assert (await phones.escalation()).acknowledged_by == "U0DANA"


@pytest.mark.parametrize(("code", "why"), [(21215, "refused"), (21214, "undeliverable")])
async def test_a_number_that_cannot_be_called_is_told(phones: Phones, code: int, why: str) -> None:
    await phones.late_stop()
    await phones.world.advance(minutes=5)
    phones.world.twilio.faults.next(twilio_fault(code, path_contains="/Calls.json"))
    await phones.world.advance(minutes=5)
    await phones.quiet()
    assert (await phones.told())[-1] == (Happening.PAGE_FAILED, "Dana", why)
    assert phones.calls() == []


async def test_a_page_is_one_however_often_it_is_asked_for(phones: Phones) -> None:
    phones.do(DANA, kind="no-answer")
    await until_called(phones)
    services = phones.world.doorline.services
    found = await phones.escalation()
    (step,) = await phones.world.rows(EscalationStep, col(EscalationStep.position) == 2)
    person = OnCallPerson("dana", "Dana", "U0DANA", DANA)
    for _ in range(2):
        async with services.database.transaction() as session:
            assert await services.escalations._pager.page(session, found, step, person)
    await phones.quiet()
    assert len(phones.calls(DANA)) == 1


# --- the edge ---------------------------------------------------------------------------------------


async def test_a_forged_key_is_refused_and_changes_nothing(phones: Phones) -> None:
    phones.do(DANA, kind="no-answer")
    await until_called(phones)
    await phones.quiet()
    (page,) = await phones.calls_to(DANA)
    form = {"CallSid": page.vendor_id or "", "CallStatus": "in-progress", "Digits": "1"}
    for signature in ("", "forged"):
        path = f"voice?page={page.token}&turn=1"
        answer = await post_twilio(phones.world, form, path, signature=signature)
        assert answer.status_code == 403
    assert (await phones.escalation()).state is EscalationState.RAISED


async def test_an_unknown_page_is_politely_over(phones: Phones) -> None:
    form = {"CallSid": "CA" + "0f" * 16, "CallStatus": "in-progress", "Digits": "1"}
    answer = await post_twilio(phones.world, form, "voice?page=nobody&turn=1")
    assert answer.status_code == 200
    assert "It is over by now" in answer.text
    assert "<Gather" not in answer.text


async def test_one_pressed_key_that_is_told_twice_takes_it_once(phones: Phones) -> None:
    phones.do(DANA, kind="no-answer")
    await until_called(phones)
    await phones.quiet()
    (page,) = await phones.calls_to(DANA)
    form = {"CallSid": page.vendor_id or "", "CallStatus": "in-progress", "Digits": "1"}
    said = [(await post_twilio(phones.world, form, f"voice?page={page.token}&turn=1")).text for _ in range(2)]
    assert "You have it. Nobody else" in said[0]
    assert "You have it already." in said[1]
    assert (await phones.escalation()).acknowledged_by == "U0DANA"


async def test_of_two_who_press_at_once_one_has_it_and_the_other_hears_who(phones: Phones) -> None:
    phones.do(DANA, kind="no-answer")
    phones.do(SAM, kind="no-answer")
    await until_called(phones, SAM)
    await phones.quiet()
    (danas,), (sams,) = await phones.calls_to(DANA), await phones.calls_to(SAM)

    async def presses(page: Page) -> str:
        form = {"CallSid": page.vendor_id or "", "CallStatus": "in-progress", "Digits": "1"}
        return (await post_twilio(phones.world, form, f"voice?page={page.token}&turn=1")).text

    dana, sam = await asyncio.gather(presses(danas), presses(sams))
    holder = (await phones.escalation()).acknowledged_by
    if holder == "U0DANA":
        assert ("You have it. Nobody" in dana, "Ya lo tiene Dana. Gracias." in sam) == (True, True)
    else:
        assert holder == "U0SAM"
        assert ("Sam has it already." in dana, "Es suyo." in sam) == (True, True)
