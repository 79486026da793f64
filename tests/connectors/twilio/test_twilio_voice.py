"""Calls: our caller and our edge against the pretended Twilio, through the real SDK, over loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from twilio.request_validator import RequestValidator

from connectors.base import Probe
from connectors.emulation import Fault
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    StorageUnavailableError,
    UndeliverableError,
)
from connectors.twilio import voice_webhook
from connectors.twilio.emulator_call_state import StoredCall
from connectors.twilio.emulator_phones import Habit
from connectors.twilio.emulator_rules import twilio_fault
from connectors.twilio.voice import TwilioCaller
from connectors.voice import AnsweredBy, CallReport, CallStatus, CallTurn, OutgoingCall, Spoken
from tests.connectors.twilio.conftest import ACCOUNT, NUMBER, TOKEN, Clock, ServedEmulator, Stage

DANA = "+15550100001"
CALL = OutgoingCall(call_id="page-1", to=DANA)
QUESTION = Spoken(language="en", lines=("Three stops are late.", "Press 1 to take it."), asks=True)


class PhoneEdge:
    """Our voice routes, with what they were told; every turn is answered with `script`'s next words."""

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url
        self.turns: list[CallTurn] = []
        self.reports: list[CallReport] = []
        self.script: dict[str, Spoken] = {"": QUESTION, "1": Spoken(language="en", lines=("You have it.",))}
        self.is_storing = True
        self.app = FastAPI()
        routes = voice_webhook.router(self._turn, self._report, auth_token=TOKEN, public_url=public_url)
        self.app.include_router(routes, prefix="/connectors/twilio")

    @property
    def voice_url(self) -> str:
        return f"{self.public_url}/connectors/twilio/voice"

    async def _turn(self, turn: CallTurn) -> Spoken:
        if not self.is_storing:
            raise StorageUnavailableError("the database is gone")
        self.turns.append(turn)
        return self.script.get(turn.key, QUESTION)

    async def _report(self, report: CallReport) -> None:
        self.reports.append(report)


@pytest.fixture
def phone_edge(edge_stage: Stage, twilio: ServedEmulator) -> PhoneEdge:
    edge = PhoneEdge(edge_stage.url)
    edge_stage.app = edge.app
    return edge


@pytest.fixture
async def caller(twilio: ServedEmulator, phone_edge: PhoneEdge) -> AsyncIterator[TwilioCaller]:
    caller = TwilioCaller(ACCOUNT, TOKEN, NUMBER, voice_url=phone_edge.voice_url, api_base=twilio.url)
    yield caller
    await caller.aclose()


async def rings(twilio: Any, caller: TwilioCaller, **habit: Any) -> StoredCall:
    """Places the call and gives it once it is over and everything was told."""
    twilio.emulator.phones.habit_for(DANA, Habit(**habit))
    placed = await caller.place(CALL)
    await twilio.emulator.settled()
    call: StoredCall = twilio.emulator.phones.calls.get(placed.vendor_id)
    return call


def told(edge: PhoneEdge) -> list[CallStatus]:
    return [report.status for report in edge.reports]


# --- the life of a call -----------------------------------------------------------------------------


async def test_a_pressed_key_is_heard_and_answered(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    call = await rings(twilio, caller, keys=("1",))
    assert call.heard == ("Three stops are late.", "Press 1 to take it.", "You have it.")
    assert [(turn.turn, turn.key) for turn in phone_edge.turns] == [(0, ""), (1, "1")]
    assert {turn.call_id for turn in phone_edge.turns} == {"page-1"}
    assert phone_edge.turns[0].answered_by is AnsweredBy.PERSON
    assert (call.status, call.pressed) == ("completed", "1")


async def test_every_step_of_a_call_is_told_with_our_id(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    call = await rings(twilio, caller, keys=("1",))
    assert told(phone_edge) == [
        CallStatus.QUEUED,
        CallStatus.RINGING,
        CallStatus.ANSWERED,
        CallStatus.COMPLETED,
    ]
    assert {(report.call_id, report.vendor_id) for report in phone_edge.reports} == {("page-1", call.sid)}


async def test_no_key_leads_to_the_next_turn(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    await rings(twilio, caller, keys=("", "2", "1"))
    assert [(turn.turn, turn.key) for turn in phone_edge.turns] == [(0, ""), (1, ""), (2, "2"), (3, "1")]


@pytest.mark.parametrize(
    ("habit", "status"),
    [
        ({"kind": "busy"}, CallStatus.BUSY),
        ({"kind": "no-answer"}, CallStatus.NO_ANSWER),
        ({"rings_seconds": 26}, CallStatus.NO_ANSWER),
        ({"kind": "failed"}, CallStatus.FAILED),
    ],
)
async def test_a_call_that_nobody_takes_says_why(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge, habit: dict[str, Any], status: CallStatus
) -> None:
    call = await rings(twilio, caller, **habit)
    assert told(phone_edge)[-1] is status
    assert (await caller.look(call.sid)).status is status
    assert phone_edge.turns == []
    assert call.seconds is None


async def test_a_mailbox_is_told_from_a_person(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    phone_edge.script[""] = Spoken(language="en", lines=())
    call = await rings(twilio, caller, kind="voicemail", keys=("1",))
    assert phone_edge.turns[0].answered_by is AnsweredBy.MACHINE
    assert phone_edge.reports[-1].answered_by is AnsweredBy.MACHINE
    assert (call.heard, call.pressed) == ((), "")


async def test_a_person_who_hangs_up_ends_the_call(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    call = await rings(twilio, caller, hangs_up_after_seconds=1, keys=())
    assert (call.status, call.seconds) == ("completed", 0)
    assert told(phone_edge)[-1] is CallStatus.COMPLETED


async def test_spanish_is_spoken_as_spanish(twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge) -> None:
    phone_edge.script[""] = Spoken(language="es", lines=("Tres paradas van tarde.",))
    call = await rings(twilio, caller)
    assert (call.heard, call.languages) == (("Tres paradas van tarde.",), ("es-US",))


@pytest.mark.parametrize("habit", [{"rings_seconds": 20}, {"keys": ()}])
async def test_a_call_is_ended_while_it_rings_and_while_somebody_listens(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge, habit: dict[str, Any]
) -> None:
    twilio.emulator.pace_seconds = 0.05
    twilio.emulator.phones.habit_for(DANA, Habit(**habit))
    placed = await caller.place(CALL)
    wanted = CallStatus.RINGING if "rings_seconds" in habit else CallStatus.ANSWERED
    while wanted not in told(phone_edge):
        await _moment()
    await caller.end(placed.vendor_id)
    await twilio.emulator.settled()
    ended = CallStatus.CANCELED if "rings_seconds" in habit else CallStatus.COMPLETED
    assert told(phone_edge)[-1] is ended
    await caller.end(placed.vendor_id)  # over already: no error


async def _moment() -> None:
    import asyncio

    await asyncio.sleep(0.01)


async def test_an_edge_that_cannot_store_is_asked_again_and_then_apologised_for(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    phone_edge.is_storing = False
    call = await rings(twilio, caller, keys=("1",))
    assert call.heard == ("We are sorry, an application error has occurred. Goodbye.",)
    assert twilio.emulator.alerts[-1]["error_code"] == 11200


# --- what goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (10004, ChannelUnavailableError),
        (13227, ChannelMisconfiguredError),
        (20003, ChannelMisconfiguredError),
        (20429, ChannelUnavailableError),
        (21210, ChannelMisconfiguredError),
        (21211, UndeliverableError),
        (21214, UndeliverableError),
        (21215, ChannelMisconfiguredError),
        (21216, ChannelMisconfiguredError),
        (21217, UndeliverableError),
        (99999, ChannelMisconfiguredError),
    ],
)
async def test_codes_become_our_errors(
    twilio: Any, caller: TwilioCaller, code: int, error: type[ChannelError]
) -> None:
    twilio.emulator.faults.next(twilio_fault(code))
    with pytest.raises(error) as caught:
        await caller.place(CALL)
    assert (caught.value.code, type(caught.value)) == (str(code), error)
    assert DANA not in str(caught.value)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+15005550001", "21217"),
        ("+15005550002", "21214"),
        ("+15005550003", "21215"),
        ("+15005550004", "21216"),
        ("5550100", "21211"),
    ],
)
async def test_numbers_are_refused_as_twilio_refuses_them(caller: TwilioCaller, to: str, code: str) -> None:
    with pytest.raises(ChannelError) as caught:
        await caller.place(CALL.model_copy(update={"to": to}))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", status=503), ChannelUnavailableError),
        (Fault("status", status=500, after_work=True), OutcomeUnknownError),
        (Fault("reset", after_work=True), OutcomeUnknownError),
        (Fault("malformed", after_work=True), OutcomeUnknownError),
    ],
)
async def test_only_what_was_certainly_not_placed_may_be_tried_again(
    twilio: Any, caller: TwilioCaller, fault: Fault, error: type[ChannelError]
) -> None:
    twilio.emulator.faults.next(fault)
    with pytest.raises(error):
        await caller.place(CALL)


async def test_a_lost_answer_is_found_and_other_calls_are_not(
    twilio: Any, caller: TwilioCaller, clock: Clock
) -> None:
    old = await caller.place(CALL)
    clock.move(hours=2)
    attempted_at = clock.now()
    assert await caller.find(CALL, attempted_at, set()) is None
    other = await caller.place(CALL.model_copy(update={"to": "+15550100002"}))
    twilio.emulator.faults.next(Fault("reset", after_work=True))
    with pytest.raises(OutcomeUnknownError):
        await caller.place(CALL)
    found = await caller.find(CALL, attempted_at, set())
    assert found is not None
    assert found.vendor_id not in (old.vendor_id, other.vendor_id)
    assert found.call_id == CALL.call_id
    assert await caller.find(CALL, attempted_at, {found.vendor_id}) is None
    assert await caller.find(CALL, attempted_at + timedelta(minutes=5), set()) is None


async def test_what_is_found_is_found_over_pages(twilio: Any, caller: TwilioCaller, clock: Clock) -> None:
    first = await caller.place(CALL)
    attempted_at = clock.now()
    known = {(await caller.place(CALL)).vendor_id for _ in range(60)}
    found = await caller.find(CALL, attempted_at, known)
    assert found is not None
    assert found.vendor_id == first.vendor_id


async def test_the_doctor_sees_whose_number_it_is(twilio: Any, phone_edge: PhoneEdge) -> None:
    async def probe(number: str, token: str = TOKEN) -> Probe:
        caller = TwilioCaller(ACCOUNT, token, number, voice_url=phone_edge.voice_url, api_base=twilio.url)
        found = await caller.probe()
        await caller.aclose()
        return found

    assert (await probe(NUMBER)).healthy
    foreign, wrong = await probe("+15550109999"), await probe(NUMBER, "wrong")
    assert (foreign.healthy, "TWILIO_VOICE_FROM" in foreign.detail) == (False, True)
    assert (wrong.healthy, "20003" in wrong.detail) == (False, True)


# --- the edge ---------------------------------------------------------------------------------------

Post = Callable[..., Awaitable[httpx.Response]]
FORM = {"CallSid": "CA" + "0c" * 16, "CallStatus": "in-progress", "Digits": "1"}


@pytest.mark.parametrize("path", ["voice", "voice/status"])
async def test_a_forged_request_about_a_call_is_refused(phone_edge: PhoneEdge, path: str) -> None:
    url = f"{phone_edge.public_url}/connectors/twilio/{path}?page=page-1&turn=1"
    forged = RequestValidator("another-token").compute_signature(url, FORM)
    elsewhere = RequestValidator(TOKEN).compute_signature(url.replace("page-1", "page-2"), FORM)
    async with httpx.AsyncClient(trust_env=False) as http:
        for headers in ({}, {"X-Twilio-Signature": forged}, {"X-Twilio-Signature": elsewhere}):
            assert (await http.post(url, data=FORM, headers=headers)).status_code == 403
    assert (phone_edge.turns, phone_edge.reports) == ([], [])


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("page=page-1&turn=x", {}),
        ("page=page-1&turn=100", {}),
        ("page=page-1&turn=-1", {}),
        (f"page={'x' * 65}", {}),
        ("page=page-1", {"CallSid": "CA12"}),
    ],
)
async def test_what_is_no_call_is_refused(
    phone_edge: PhoneEdge, post_signed: Post, query: str, changes: dict[str, str]
) -> None:
    answer = await post_signed(f"{phone_edge.voice_url}?{query}", FORM | changes)
    assert answer.status_code == 400
    assert phone_edge.turns == []


async def test_words_are_escaped(phone_edge: PhoneEdge, post_signed: Post) -> None:
    phone_edge.script["1"] = Spoken(language="en", lines=("Smith & Sons <Hangup/>",))
    answer = await post_signed(f"{phone_edge.voice_url}?page=page-1&turn=1", FORM)
    assert answer.headers["content-type"].startswith("text/xml")
    assert "Smith &amp; Sons &lt;Hangup/&gt;" in answer.text


async def test_an_unknown_status_changes_nothing(phone_edge: PhoneEdge, post_signed: Post) -> None:
    answer = await post_signed(
        f"{phone_edge.voice_url}/status?page=page-1", FORM | {"CallStatus": "teleported"}
    )
    assert (answer.status_code, phone_edge.reports) == (200, [])


# --- the emulator itself ----------------------------------------------------------------------------


async def test_phones_are_scripted_and_heard_over_http(
    twilio: Any, caller: TwilioCaller, phone_edge: PhoneEdge
) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=twilio.url) as http:
        answer = await http.post("/_emulator/callers", json={"phone": DANA, "keys": ["1"]})
        assert answer.status_code == 200, answer.text
        assert (await http.post("/_emulator/callers", json={"phone": DANA, "mood": "bad"})).status_code == 422
        await caller.place(CALL)
        await twilio.emulator.settled()
        (call,) = (await http.get("/_emulator/calls", params={"phone": DANA})).json()["calls"]
        assert (await http.get("/_emulator/calls", params={"phone": "+1999"})).json()["calls"] == []
    assert (call["pressed"], call["heard"][-1]) == ("1", "You have it.")


async def test_a_verb_that_the_emulator_does_not_know_is_noted(twilio: Any, caller: TwilioCaller) -> None:
    twilio.emulator.phones.habit_for(DANA, Habit())
    await caller._twilio.calls.create_async(
        to=DANA, from_=NUMBER, twiml="<Response><Dial>+1555</Dial></Response>"
    )
    await twilio.emulator.settled()
    assert "<Dial>" in twilio.emulator.alerts[-1]["text"]
