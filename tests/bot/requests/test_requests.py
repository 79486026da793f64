"""Approve or decline: decided once, carried out where a platform can, and the recipient always hears."""

import asyncio
from typing import Any

import pytest
from sqlmodel import col

from bot.conversations.words import Words
from bot.durable.models import OutboundText, Purpose
from bot.escalations.models import Escalation
from bot.requests.models import DispatchRequest, RequestState
from bot.settings import PROJECT_ROOT
from bot.stops.answers import HandoffPromise
from connectors.base import DeliveryWindow
from connectors.emulation import Fault
from connectors.escalation import EscalationState, Happening
from tests.harness.codes import DOOR_CODE
from tests.harness.handoffs import DANA, SAM, notes, turn_of
from tests.harness.people import Recipient, readable
from tests.harness.waiting import eventually
from tests.harness.world import World

WORDS = Words(PROJECT_ROOT / "nlu" / "domain")
PARCEL = "Acme parcel"


class Story:
    """A recipient with a stop who wants something that a dispatcher decides."""

    def __init__(self, world: World, recipient: Recipient, tracking: str) -> None:
        self.world, self.recipient, self.tracking = world, recipient, tracking
        self.evening = DeliveryWindow(start_at=world.local("17:00", 1), end_at=world.local("21:00", 1))

    async def asks(
        self, kind: str, *, language: str = "en", words: str = "", **wanted: Any
    ) -> HandoffPromise:
        stop = await self.world.stop_record(self.tracking)
        turn = await turn_of(self.world, self.recipient, "please", language)
        requests = self.world.doorline.services.requests
        promise = await requests.ask(turn, kind, str(stop.id), words=words, **wanted)
        await self.world.settled()
        return promise

    async def message(self) -> dict[str, Any]:
        (shown,) = await self.world.channel()
        return shown

    async def request(self) -> DispatchRequest:
        (row,) = await self.world.rows(DispatchRequest)
        return row

    async def becomes(self, state: RequestState) -> DispatchRequest:
        return await eventually(self.request, lambda row: row.state is state, state.value)

    async def notices(self) -> list[str]:
        await self.world.settled()
        rows = await self.world.rows(OutboundText, col(OutboundText.purpose) == Purpose.NOTICE)
        return [row.text for row in rows]

    async def escalation(self) -> Escalation:
        (row,) = await self.world.rows(Escalation)
        return row


@pytest.fixture
async def story(bare_world: World) -> Story:
    tracking = await bare_world.has_stop()
    recipient = bare_world.recipient()
    await recipient.asks(f"can you do this, gate code {DOOR_CODE}")
    return Story(bare_world, recipient, tracking)


async def test_an_approved_window_is_on_the_platform_and_the_recipient_hears_it(story: Story) -> None:
    promise = await story.asks("reschedule", window=story.evening)
    assert promise.respond_by == story.world.local("12:25")
    message = await story.message()
    assert "Move it to Wed, Jun 10, 5 pm-9 pm?" in readable(message)
    assert DOOR_CODE not in str(message)
    await story.world.dispatcher(DANA).presses(message, "approve")
    request = await story.becomes(RequestState.APPROVED)
    assert request.decided_by == DANA
    assert (await story.world.stop_record(story.tracking)).window == story.evening
    task = story.world.task_of(story.tracking)
    assert task["completeBefore"] == int(story.evening.end_at.timestamp() * 1000)
    said = WORDS.say(
        "utter_request_approved_reschedule", "en", parcel=PARCEL, window="tomorrow, Wed Jun 10, 5-9 pm"
    )
    assert await story.notices() == [said]
    assert said in await story.recipient.reads()
    over = await story.escalation()
    assert (over.state, over.resolved_by, over.outcome) == (EscalationState.RESOLVED, DANA, "Approved")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("kind", "approved"),
    [
        ("change_address", "utter_request_approved_change_address"),
        ("send_back", "utter_request_approved_send_back"),
        ("hold", "utter_request_approved_hold"),
    ],
)
async def test_what_no_platform_can_do_is_approved_by_word(
    story: Story, kind: str, approved: str, language: str
) -> None:
    await story.asks(kind, language=language, words="9 Oak Ave")
    await story.world.dispatcher(DANA).presses(await story.message(), "approve")
    await story.becomes(RequestState.APPROVED)
    parcel = PARCEL if language == "en" else "paquete de Acme"
    assert await story.notices() == [WORDS.say(approved, language, parcel=parcel)]


@pytest.mark.parametrize("kind", ["reschedule", "redeliver", "change_address", "send_back", "hold", "note"])
async def test_a_declined_request_is_told_and_changes_nothing(story: Story, kind: str) -> None:
    before = await story.world.stop_record(story.tracking)
    await story.asks(kind, window=story.evening)
    await story.world.dispatcher(DANA).presses(await story.message(), "decline")
    await story.becomes(RequestState.DECLINED)
    assert await story.notices() == [WORDS.say(f"utter_request_declined_{kind}", "en", parcel=PARCEL)]
    after = await story.world.stop_record(story.tracking)
    assert (after.window, after.notes) == (before.window, before.notes)
    assert (await story.escalation()).outcome == "Declined"


async def test_an_approved_note_reaches_the_platform_whole_and_stays_nowhere_else(story: Story) -> None:
    await story.asks("note")
    await story.world.dispatcher(DANA).presses(await story.message(), "approve")
    request = await story.becomes(RequestState.APPROVED)
    assert DOOR_CODE in str(story.world.task_of(story.tracking))
    assert DOOR_CODE not in str(request.wanted) + request.words
    assert not any(DOOR_CODE in line for line in await story.world.thread(await story.message()))


async def test_two_decide_at_once_one_wins_and_the_other_is_told(story: Story) -> None:
    await story.asks("hold")
    message = await story.message()
    dana, sam = story.world.dispatcher(DANA), story.world.dispatcher(SAM)
    await asyncio.gather(dana.presses(message, "approve"), sam.presses(message, "decline"))
    request = await eventually(story.request, lambda row: row.decided_by is not None, "a decision")
    loser = sam if request.decided_by == DANA else dana
    await loser.is_told_of("decided")
    assert len(await story.notices()) == 1
    told = await notes(story.world, Happening.APPROVED) + await notes(story.world, Happening.DECLINED)
    assert [note.dispatcher for note in told] == [request.decided_by]


async def test_what_the_platform_refuses_is_still_to_be_decided(story: Story) -> None:
    await story.asks("reschedule", window=story.evening)
    task_id = story.world.task_of(story.tracking)["id"]
    story.world.onfleet.faults.next(Fault("status", status=400, path_contains=f"/tasks/{task_id}"))
    message = await story.message()
    await story.world.dispatcher(DANA).presses(message, "approve")
    await story.world.thread_shows(message, "<@U0DANA>", "refused it", "still to be decided")
    assert await notes(story.world, Happening.APPROVED) == []
    request = await story.request()
    assert (request.state, request.decided_by) == (RequestState.OPEN, None)
    assert await story.notices() == []
    assert "Move it to" in readable(await story.message())
    await story.world.dispatcher(SAM).presses(message, "approve")
    await story.becomes(RequestState.APPROVED)
    assert len(await story.notices()) == 1


async def test_a_platform_that_is_down_leaves_it_open_and_says_so(story: Story) -> None:
    await story.asks("reschedule", window=story.evening)
    story.world.onfleet.faults.down = True
    message = await story.message()
    await story.world.dispatcher(DANA).presses(message, "approve")
    await story.world.thread_shows(message, "cannot be reached", "still to be decided")
    story.world.onfleet.faults.down = False
    assert (await story.request()).state is RequestState.OPEN


async def test_an_approval_that_fails_for_a_reason_of_ours_is_to_be_decided_again(story: Story) -> None:
    await story.asks("reschedule", window=story.evening)
    request = await story.request()
    broken = {"window": "no window at all"}
    async with story.world.doorline.services.database.transaction() as session:
        (await session.get_one(DispatchRequest, request.id)).wanted = broken
    message = await story.message()
    await story.world.dispatcher(DANA).presses(message, "approve")
    for _ in range(5):
        await story.world.settled()
        await story.world.retries()
    assert (await story.request()).state is RequestState.OPEN
    assert await story.notices() == []


async def test_a_newer_wish_takes_the_place_of_the_open_one(story: Story) -> None:
    first = await story.asks("reschedule", window=story.evening)
    await story.world.advance(minutes=3)
    morning = DeliveryWindow(start_at=story.world.local("08:00", 2), end_at=story.world.local("12:00", 2))
    second = await story.asks("reschedule", window=morning)
    assert second.respond_by == first.respond_by
    message = await story.message()
    assert "Thu, Jun 11, 8 am-12 pm" in readable(message)
    assert (await story.request()).state is RequestState.OPEN
    stop = await story.world.stop_record(story.tracking)
    services = story.world.doorline.services
    turn = await turn_of(story.world, story.recipient, "")
    found = await services.requests.open_request(turn.conversation_id, str(stop.id), "reschedule")
    assert found is not None
    assert await services.requests.open_request(turn.conversation_id, str(stop.id), "hold") is None


async def test_a_request_does_not_silence_the_bot(story: Story) -> None:
    await story.asks("hold")
    await story.world.dispatcher(DANA).reacts(await story.message(), "eyes")
    await story.world.settled()
    assert await story.recipient.asks("where is it") == "You said: where is it"


async def test_an_undecided_request_is_told_honestly_and_decided_late_all_the_same(story: Story) -> None:
    await story.asks("hold")
    await story.world.advance(minutes=25)
    assert await story.notices() == [WORDS.say("utter_still_waiting", "en", by="12:50 pm")]
    await story.world.dispatcher(DANA).presses(await story.message(), "approve")
    await story.becomes(RequestState.APPROVED)
    assert len(await story.notices()) == 2


async def test_a_stop_that_is_over_first_ends_the_request(story: Story) -> None:
    await story.asks("hold")
    story.world.onfleet.complete_task(story.world.task_of(story.tracking)["id"])
    await story.world.sync()
    await story.world.tick()
    assert (await story.request()).state is RequestState.EXPIRED
    assert await story.notices() == [WORDS.say("utter_request_too_late", "en", parcel=PARCEL)]
    over = await story.escalation()
    assert (over.state, over.resolved_by) == (EscalationState.RESOLVED, None)


async def test_resolving_without_a_decision_ends_it_and_the_recipient_hears_that(story: Story) -> None:
    await story.asks("hold")
    await story.world.dispatcher(DANA).reacts(await story.message(), "white_check_mark")
    await story.becomes(RequestState.EXPIRED)
    assert await story.notices() == [WORDS.say("utter_request_closed", "en", parcel=PARCEL)]


async def test_who_has_left_is_not_told_and_the_dispatcher_knows(story: Story) -> None:
    await story.asks("hold")
    await story.recipient.texts("opt out")
    await story.world.settled()
    message = await story.message()
    await story.world.dispatcher(DANA).presses(message, "approve")
    request = await story.becomes(RequestState.APPROVED)
    assert request.told_at is None
    await story.world.thread_shows(message, "did not reach the recipient")
    assert await story.notices() == []
