"""Drivers on the road: asked without a dispatcher, heard without an app, told what recipients leave for them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col

from bot.conversations.models import InboundText
from bot.drivers.models import DriverQuestion, DriverRelay, DriverReport, DriverWord, ReportState
from bot.drivers.reported import ReportedFailures, report_photos
from bot.durable.models import OutboundText
from bot.escalations.models import Escalation
from bot.incidents.models import IncidentPhoto, PhotoState
from bot.recovery.models import ReasonSource, Recovery
from bot.stops.models import StopRecord
from connectors.base import FailureReason
from connectors.escalation import DispatcherVerb, EscalationState, Happening, Severity
from tests.bot.escalations.deeds_world import DANA, at_risk, does, notes, the_one, thread
from tests.harness.people import readable
from tests.harness.protocol import protocol_of
from tests.harness.turns import says
from tests.harness.world import Setting, World

DRIVER = "+12125550999"
ROBIN = "+12125550100"
ASKED = (
    "QuickShip: stop {number}, {place}, window ends 4 pm. On time?"
    " 1 yes, 2 traffic, 3 access, 4 vehicle, and minutes: 2 20"
)


@pytest.fixture
async def world(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    rules = {"enabled": True, "check_ins": {"before_window_end_minutes": 300}}
    async with World(bare_setting, sop=protocol_of(tmp_path, {}, drivers=rules)) as world:
        yield world


async def writes(world: World, words: str) -> None:
    await world.recipient(DRIVER).texts(words)
    await world.settled()


async def sets_off(world: World, tracking: str) -> None:
    world.onfleet.start_task(world.task_of(tracking)["id"], world.clock.now())
    await world.sync()


async def reads(world: World) -> list[str]:
    await world.settled()
    return await world.recipient(DRIVER).reads()


async def test_a_risk_that_nobody_explains_is_asked_about_and_the_answer_moves_the_eta(world: World) -> None:
    await at_risk(world)
    await world.advance(minutes=2)
    assert await reads(world) == []
    await world.advance(minutes=10)
    await world.advance(minutes=1)
    assert await reads(world) == [ASKED.format(number=1, place="14 Elm St 2B")]
    await world.advance(minutes=30)
    assert len(await reads(world)) == 1
    await writes(world, "stuck on i95 20 more min")
    (question,) = await world.rows(DriverQuestion)
    assert (question.asked_by, question.root_cause, question.minutes) == ("", FailureReason.TRAFFIC, 20)
    assert (await the_one(world)).root_cause is FailureReason.TRAFFIC
    await world.channel_shows("(traffic, 20 min, texted 12:")
    lines = "\n".join(await thread(world))
    assert "Doorline texted the driver" in lines
    assert 'Driver of van-7 answered: traffic, 20 min ("stuck on i95 20 more min")' in lines
    assert "5550999" not in lines
    assert ROBIN[2:] not in "\n".join(await reads(world))
    # 1:08 pm instead of 4:25 pm: the watch believes the driver, and says whom it believes.
    await world.advance(seconds=10)
    assert not await world.rows(Escalation, col(Escalation.resolved_at).is_(None))


async def test_a_later_word_keeps_a_stop_at_risk_and_says_whose_word_it_is(world: World) -> None:
    await world.has_stop(eta="12:20", window=("12:00", "13:00"), address="14 Elm St 2B")
    await world.has_stop(eta="12:45", window=("12:00", "13:00"), address="18 Oak Ave", phone="+12125550101")
    await writes(world, "flat tire, 1 hour 10 min")
    assert (await reads(world))[-1].startswith("Noted: 14 Elm St 2B at about 1:1")
    (word,) = await world.rows(DriverWord)
    assert (word.root_cause, word.minutes, len(word.etas)) == (FailureReason.VEHICLE, 70, 2)
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    message = readable(await world.channel_shows("At risk"))
    assert "by the driver's word, window ends 1:00 pm" in message
    assert "14 Elm St 2B" in message
    assert "18 Oak Ave" in message
    message = readable(await world.channel_shows("vehicle, 70 min, texted 12:"))
    assert await world.rows(Escalation, col(Escalation.severity) == Severity.AT_RISK)


async def test_who_still_drives_after_midnight_is_a_driver_and_no_recipient(world: World) -> None:
    tracking = await world.has_stop(eta="23:50", window=("22:00", "23:59"))
    await world.advance(hours=11)
    await sets_off(world, tracking)
    await world.advance(hours=1, minutes=20)
    await writes(world, "flat tire, 30 min")
    assert (await reads(world))[-1].startswith("Noted: 14 Elm St 2B at about 1")
    await world.delivers(tracking)
    await world.advance(hours=3)
    await writes(world, "where is my delivery")
    assert len(await world.rows(DriverWord)) == 1


async def test_a_failed_delivery_is_taken_with_its_reason_and_its_picture(world: World) -> None:
    await at_risk(world)
    late = await stop_at(world, "14 Elm St 2B")
    await world.has_stop(address="18 Oak Ave", eta="14:40", phone="+12125550101")
    await world.recipient(DRIVER).sends_photo("couldn't deliver 18 oak, gate locked, code 4471# is wrong")
    assert await reads(world) == [
        "Noted: 18 Oak Ave, not delivered, with your photo. Dispatch takes it from here."
    ]
    (report,) = await world.rows(DriverReport)
    assert (report.reason, report.state) == (FailureReason.ACCESS_ISSUE, ReportState.TAKEN)
    assert "4471" not in report.words
    (photo,) = await world.rows(IncidentPhoto)
    assert (photo.inbound_id, photo.state) == (report.inbound_id, PhotoState.KEPT)
    world.clock.move(timedelta(minutes=1))
    await writes(world, "refused")
    assert (await reads(world))[-1] == "Noted: 14 Elm St 2B, not delivered. Dispatch takes it from here."
    world.clock.move(timedelta(minutes=1))
    await world.recipient(DRIVER).sends_photo("")
    assert (await reads(world))[-1] == "Thank you, the photo is kept with 14 Elm St 2B."
    lines = await thread(world)
    assert any(
        '14 Elm St 2B: Driver of van-7 could not deliver: refused ("refused")' in line for line in lines
    )
    assert any("/incidents/photo/" in line for line in lines)
    async with world.doorline.services.database.transaction() as session:
        assert len(await report_photos(session, late)) == 1
        said = await ReportedFailures().said_about(session, [late])
    assert said[late].reason is FailureReason.REFUSED


async def test_a_follow_up_begins_with_the_reason_that_the_driver_gave(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    sop = protocol_of(tmp_path, {}, recovery={"enabled": True})
    async with World(bare_setting, sop=sop) as world:
        tracking = await world.has_stop(eta="14:20")
        await writes(world, "couldn't deliver 14 elm, gate locked")
        await world.delivers(tracking, success=False, reason="OTHER")
        await world.doorline.services.recovery_opening.open_due()
        (recovery,) = await world.rows(Recovery)
        assert (recovery.reason, recovery.reason_source) == (FailureReason.ACCESS_ISSUE, ReasonSource.DRIVER)
        assert recovery.words.endswith("couldn't deliver 14 elm, gate locked")


async def test_what_is_unclear_is_asked_once_and_never_a_dead_end(world: World) -> None:
    await world.has_stop(address="11 Elm St", eta="14:20")
    await world.has_stop(address="12 Elm St", eta="14:40", phone="+12125550101")
    await writes(world, "couldn't deliver elm")
    assert await reads(world) == ["Which stop? 1) 11 Elm St 2) 12 Elm St"]
    await writes(world, "2")
    assert (await reads(world))[-1] == (
        "12 Elm St: why not? 1 nobody home, 2 no access, 3 wrong address, 4 refused, 5 damaged"
    )
    await writes(world, "4")
    assert (await reads(world))[-1] == "Noted: 12 Elm St, not delivered. Dispatch takes it from here."
    (report,) = await world.rows(DriverReport)
    assert report.reason is FailureReason.REFUSED
    await writes(world, "ok thanks")
    assert len(await reads(world)) == 3
    await writes(world, "couldn't deliver elm")
    assert (await reads(world))[-1].startswith("Which stop?")
    await world.advance(minutes=31)
    (left,) = await world.rows(DriverReport, col(DriverReport.state) == ReportState.PASSED_ON)
    assert left.stop_id is None
    await writes(world, "can someone bring me more labels")
    assert (await reads(world))[-1] == "I've passed this on to dispatch. Someone will call or text you."
    message = readable(await world.channel_shows("A driver writes"))
    assert "5550999" not in message
    assert "couldn't deliver elm" in "\n".join(await thread(world))
    assert "more labels" in "\n".join(await thread(world))


async def test_what_a_person_must_read_calls_the_one_who_has_it_and_not_who_snoozed_it(world: World) -> None:
    await at_risk(world)
    held = await does(world, DispatcherVerb.ACKNOWLEDGE)
    await writes(world, "can someone bring me more labels")
    (line,) = [line for line in await thread(world) if "more labels" in line]
    assert line.startswith(f"<@{DANA}>")
    until = (world.clock.now() + timedelta(minutes=30)).isoformat()
    assert (await does(world, DispatcherVerb.SNOOZE, until=until)).state is EscalationState.SNOOZED
    await writes(world, "the labels please")
    assert len(await world.rows(Escalation, col(Escalation.severity) == Severity.RECIPIENT_WAITING)) == 1
    assert held.severity is Severity.AT_RISK


async def test_a_picture_before_the_answer_is_kept_and_answers_nothing(world: World) -> None:
    await world.has_stop(address="11 Elm St", eta="14:20")
    await world.has_stop(address="12 Elm St", eta="14:40", phone="+12125550101")
    await writes(world, "couldn't deliver elm")
    await world.recipient(DRIVER).sends_photo("")
    assert len(await reads(world)) == 1
    await writes(world, "2")
    await world.recipient(DRIVER).sends_photo("")
    assert (await reads(world))[1:] == [
        "12 Elm St: why not? 1 nobody home, 2 no access, 3 wrong address, 4 refused, 5 damaged"
    ]
    await writes(world, "2")
    assert (await reads(world))[-1].startswith("Noted: 12 Elm St, not delivered, with your photo.")
    (report,) = await world.rows(DriverReport)
    assert (report.reason, report.state) == (FailureReason.ACCESS_ISSUE, ReportState.TAKEN)
    async with world.doorline.services.database.transaction() as session:
        assert len(await report_photos(session, await stop_at(world, "12 Elm St"))) == 2


@pytest.mark.parametrize("is_named", [True, False])
async def test_all_parcels_of_one_door_get_the_reason_that_was_asked_back(
    world: World, is_named: bool
) -> None:
    await world.has_stop(address="14 Bridge St", eta="14:20")
    await world.has_stop(address="14 Bridge St", eta="14:20", phone="+12125550101")
    await world.has_stop(address="18 Bridge St", eta="14:40", phone="+12125550102")
    if is_named:
        await world.recipient(DRIVER).sends_photo("couldn't deliver 14 bridge st")
    else:
        await world.recipient(DRIVER).sends_photo("couldn't deliver bridge st")
        assert (await reads(world))[-1] == "Which stop? 1) 14 Bridge St 2) 18 Bridge St"
        await writes(world, "1")
    assert (await reads(world))[-1].startswith("14 Bridge St: why not?")
    await writes(world, "1")
    reports = await world.rows(DriverReport)
    assert [(each.reason, each.state) for each in reports] == [
        (FailureReason.RECIPIENT_UNAVAILABLE, ReportState.TAKEN)
    ] * 2


async def test_who_goes_on_to_another_stop_leaves_no_report_behind(world: World) -> None:
    await world.has_stop(address="11 Elm St", eta="14:20")
    await world.has_stop(address="18 Oak Ave", eta="14:40", phone="+12125550101")
    await writes(world, "couldn't deliver 11 elm")
    await writes(world, "couldn't deliver 18 oak, refused")
    reports = await world.rows(DriverReport)
    assert {(each.reason, each.state) for each in reports} == {
        (FailureReason.OTHER, ReportState.TAKEN),
        (FailureReason.REFUSED, ReportState.TAKEN),
    }


async def test_a_driver_who_awaits_a_parcel_is_served_as_a_recipient(world: World) -> None:
    await world.has_stop(phone=DRIVER, address="77 Home Rd", driver="van-8", eta="15:20")
    await world.has_stop(address="14 Elm St 2B", eta="14:20")
    await writes(world, "nobody home")
    assert not await world.rows(DriverReport)
    await writes(world, "14 elm 2b nobody home")
    (report,) = await world.rows(DriverReport)
    assert report.stop_id == (await stop_at(world, "14 Elm St 2B"))


async def stop_at(world: World, address: str) -> UUID:
    (stop,) = await world.rows(StopRecord, col(StopRecord.address_line) == address)
    return stop.id


async def test_a_code_left_for_a_stop_on_the_van_reaches_the_driver_and_is_forgotten(world: World) -> None:
    tracking = await world.has_stop(address="14 Elm St 2B", eta="14:20")
    await sets_off(world, tracking)
    words = "gate code 4471#, leave behind the planter, call me at 212-555-0100"
    turn = await says(world, world.recipient(), words)
    record = await world.stop_record(tracking)
    for _ in range(2):
        await world.doorline.services.instructions.leave(turn, str(record.id))
    assert await reads(world) == [
        "QuickShip: 14 Elm St 2B, from the recipient: gate code 4471#, leave behind the planter, call me at ••••"
    ]
    await world.tick()
    (relay,) = await world.rows(DriverRelay)
    assert relay.code_forgotten_at is not None
    rows = await world.rows(OutboundText, col(OutboundText.id) == relay.outbound_id)
    assert "4471" not in rows[0].text
    assert await world.rows(InboundText, col(InboundText.id) == relay.inbound_id)
    assert not await notes(world, Happening.DRIVER_WROTE)
