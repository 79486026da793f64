"""Pages by text, and what people answer to them."""

from datetime import timedelta

import pytest

from bot.escalations.models import Escalation
from bot.paging.models import OperatorReason, Outcome
from bot.paging.rules import Meaning, read_answer
from connectors.emulation import Fault
from connectors.escalation import EscalationState, Happening
from connectors.twilio.emulator_rules import Outcome as Delivery
from connectors.twilio.segments import segment
from tests.bot.paging.conftest import DANA, OPS, PEOPLE, SAM, Phones, protocol_of_phones
from tests.harness.waiting import eventually

HELD, RAISED = EscalationState.ACKNOWLEDGED, EscalationState.RAISED


@pytest.mark.parametrize(
    ("text", "meaning", "number"),
    [
        ("1", Meaning.TAKE, 1),
        (" 1. ", Meaning.TAKE, 1),
        ("Take it!", Meaning.TAKE, None),
        ("I've got it", Meaning.TAKE, None),
        ("OK", Meaning.TAKE, None),
        ("\N{THUMBS UP SIGN}", Meaning.TAKE, None),
        ("sí", Meaning.TAKE, None),
        ("lo tomo", Meaning.TAKE, None),
        ("2", Meaning.MORE, 2),
        ("más", Meaning.MORE, None),
        ("details?", Meaning.MORE, None),
        ("3", Meaning.NUMBER, 3),
        ("12", Meaning.WORDS, None),
        ("take it to the depot", Meaning.WORDS, None),
        ("ok but not me", Meaning.WORDS, None),
        ("not 1", Meaning.WORDS, None),
        ("", Meaning.WORDS, None),
    ],
)
def test_only_a_whole_text_is_an_answer(text: str, meaning: Meaning, number: int | None) -> None:
    answer = read_answer(text)
    assert (answer.meaning, answer.number) == (meaning, number)


async def paged(phones: Phones, **facts: object) -> None:
    await phones.late_stop(**facts)
    await phones.world.advance(minutes=5)
    await phones.quiet()


async def test_a_page_says_what_why_and_how_to_answer(phones: Phones) -> None:
    await paged(phones)
    (text,) = phones.texts(DANA)
    assert text.startswith(
        "QuickShip: One stop at risk of being late, North, Acme, $75 at stake. ETA 4:25 pm"
    )
    assert text.endswith("Reply 1 to take it, 2 for more.")
    assert segment(text).segments <= 2
    assert (await phones.told()) == [(Happening.TEXTED, "Dana", "")]


async def test_1_takes_it_2_tells_more(phones: Phones) -> None:
    await paged(phones)
    more = await phones.says(DANA, "2")
    assert more == "14 Elm St 2B: due by 4 pm, ETA 4:25 pm. Reply 1 to take it."
    assert (await phones.escalation()).state is RAISED
    assert await phones.says(DANA, "1") == "You have it. Nobody else is called now."
    found = await phones.escalation()
    assert (found.state, found.acknowledged_by) == (HELD, "U0DANA")
    assert await phones.says(DANA, "1") == "You have it already."
    await phones.world.advance(minutes=15)
    await phones.quiet()
    assert phones.calls() == []


async def test_who_is_slower_hears_who_has_it(phones: Phones) -> None:
    await paged(phones)
    world = phones.world
    await world.dispatcher("U0SAM").presses(await world.channel_shows("At risk"), "acknowledge")
    await world.settled()
    assert await phones.says(DANA, "1") == "Sam has it already. Thank you."
    assert (await phones.escalation()).acknowledged_by == "U0SAM"


async def test_what_is_over_is_told_to_be_over(phones: Phones) -> None:
    await paged(phones)
    tracking = next(iter(phones.world.onfleet.store.tasks.values()))["shortId"]
    await phones.world.delivers(tracking)
    await phones.world.tick()
    assert (await phones.says(DANA, "1")).startswith("It is over by now.")


async def test_of_two_open_ones_it_is_asked_which(phones: Phones) -> None:
    await phones.late_stop()
    await phones.late_stop(
        phone="+12125550333", client="Zeta", driver="van-8", address="9 Oak Ave", eta="16:50"
    )
    await phones.world.advance(minutes=5)
    await phones.quiet()
    asked = await phones.says(DANA, "1")
    assert asked.startswith("Which one? 1) One stop at risk of being late, North, Zeta")
    assert "2) One stop at risk of being late, North, Acme" in asked
    assert (await phones.says(DANA, "2")).startswith("You have it.")
    rows = await phones.world.rows(Escalation)
    assert {row.client: row.state for row in rows} == {"Acme": HELD, "Zeta": RAISED}


async def test_other_words_go_into_the_thread(phones: Phones) -> None:
    await paged(phones)
    said = await phones.says(DANA, "the van is stuck behind the bridge")
    assert said == "Passed on to dispatch. Nobody has it yet: reply 1 to take it."
    message = await phones.world.channel_shows("At risk")
    assert any("stuck behind the bridge" in reply["text"] for reply in message["replies"])
    assert await phones.says(DANA, "1") == "You have it. Nobody else is called now."


async def test_spanish_people_are_texted_and_answered_in_spanish(phones: Phones) -> None:
    people = {"sam": PEOPLE["sam"], "dana": PEOPLE["dana"]}
    rota = {"rotation": {"people": ["sam"], "every_weeks": 1, "starts_on": "2026-06-08"}}
    folder = phones.world.doorline.settings.doorline_sop.parent
    protocol_of_phones(folder, people=people, on_call={"default": rota})
    phones.world.doorline.services.sop.reload_if_changed()
    await paged(phones)
    (text,) = phones.texts(SAM)
    assert text.startswith("QuickShip: Una parada en riesgo de llegar tarde, North, Acme, $75 en juego.")
    assert text.endswith("Responda 1 para tomarlo, 2 para saber más.")
    assert await phones.says(SAM, "lo tomo") == "Es suyo. Ya no se llama a nadie más."
    assert (await phones.escalation()).acknowledged_by == "U0SAM"


# --- who is something else too ----------------------------------------------------------------------


async def test_a_text_of_somebody_who_was_never_paged_is_the_bots(phones: Phones) -> None:
    assert await phones.says("+12125550100", "1") == "You said: 1"


async def test_a_person_on_call_who_also_awaits_a_parcel_talks_to_the_bot(phones: Phones) -> None:
    await paged(phones)
    await phones.world.has_stop(phone=DANA, client="Zeta", driver="van-9", eta="15:00")
    assert await phones.says(DANA, "where is my parcel") == "You said: where is my parcel"
    # What was said last is no page any more, so a bare number may answer it.
    phones.world.clock.move(timedelta(seconds=2))
    assert await phones.says(DANA, "1") == "You said: 1"
    assert (await phones.escalation()).state is RAISED
    assert await phones.says(DANA, "take it") == "You have it. Nobody else is called now."


async def test_words_long_after_a_page_are_the_bots(phones: Phones) -> None:
    await paged(phones)
    phones.world.clock.move(timedelta(hours=1))
    assert await phones.says(DANA, "good morning") == "You said: good morning"


# --- what cannot be delivered -----------------------------------------------------------------------


@pytest.mark.parametrize(("code", "why"), [(30003, "undeliverable"), (21610, "refused")])
async def test_a_text_that_never_arrives_is_told(phones: Phones, code: int, why: str) -> None:
    phones.world.twilio.outcome_for(DANA, Delivery(("sent", "undelivered"), code))
    await paged(phones)
    assert (await phones.told())[-1] == (Happening.PAGE_FAILED, "Dana", why)
    (page,) = await phones.pages(DANA)
    assert page.outcome is Outcome(why)


async def test_who_left_with_stop_is_passed_over_for_the_next_one(phones: Phones) -> None:
    await phones.says(DANA, "STOP")
    await paged(phones)
    assert (await phones.told()) == [
        (Happening.PAGE_FAILED, "Dana", "refused"),
        (Happening.TEXTED, "Sam", ""),
    ]
    assert phones.texts(SAM)


async def test_a_text_that_still_waits_is_dropped_when_somebody_has_it(phones: Phones) -> None:
    await phones.late_stop()
    # Twilio is down, so the text waits.
    phones.world.twilio.faults.next(Fault("status", status=503, path_contains="/Messages.json"))
    await phones.world.advance(minutes=5)
    await eventually(lambda: phones.pages(DANA), bool, "a page")
    world = phones.world
    await world.dispatcher("U0SAM").presses(await world.channel_shows("At risk"), "acknowledge")
    await world.settled()
    await world.retries()
    await phones.quiet()
    assert phones.texts(DANA) == []
    assert (await phones.pages(DANA))[0].outcome is Outcome.STOPPED


# --- operators --------------------------------------------------------------------------------------


async def test_operators_are_texted_and_called_once_until_it_is_over(phones: Phones) -> None:
    services, world = phones.world.doorline.services, phones.world
    phones.do(OPS, kind="no-answer")

    async def ill() -> int:
        async with services.database.transaction() as session:
            told: int = await services.operator_pages.page(
                session, "slack", OperatorReason.DESK_UNREACHABLE, world.clock.now()
            )
        return told

    assert (await ill(), await ill()) == (1, 0)
    await phones.quiet()
    (text,), (call,) = phones.texts(OPS), phones.calls(OPS)
    assert text == "QuickShip: Doorline cannot post to Slack. Reply 1 to take it, 2 for more."
    assert call.status == "no-answer"
    assert await phones.says(OPS, "1") == "You have it. Nobody else is called now."
    async with services.database.transaction() as session:
        assert await services.operator_pages.over(session, "slack")
        assert not await services.operator_pages.over(session, "slack")
    assert (await phones.says(OPS, "1")).startswith("It is over by now.")
    assert await ill() == 1
