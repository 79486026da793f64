"""`/doorline stop REF` over the real tables: the right stop, its history, and nothing that opens a door."""

from datetime import timedelta
from typing import Any

import pytest

from bot.db import Database
from bot.escalations.models import Escalation, EscalationStop
from bot.home.cards import ShowStop
from bot.stops.models import DriverRecord, StopRecord
from connectors.base import StopStatus
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand
from connectors.escalation import EscalationState, Severity
from tests.harness.clock import NOON_IN_NEW_YORK, ManualClock
from tests.harness.codes import DOOR_CODE


@pytest.fixture
async def cards(database: Database) -> ShowStop:
    async with database.transaction() as session:
        session.add(DriverRecord(platform="onfleet", platform_ref="van-7", name="Van 7"))
    return ShowStop(database, ManualClock(), None)


def stop(ref: str, **changes: Any) -> StopRecord:
    values: dict[str, Any] = {
        "platform": "onfleet",
        "platform_ref": ref,
        "tracking": ref,
        "order_ref": "A-9",
        "status": StopStatus.OUT_FOR_DELIVERY,
        "client": "Acme",
        "zone": "North",
        "timezone": "America/New_York",
        "address_line": "14 Elm St",
        "postcode": "10001",
        "recipient_name": "Robin Doe",
        "recipient_phone": "+12125550142",
        "notes": f"gate {DOOR_CODE}#",
        "driver_ref": "van-7",
        "changed_at": NOON_IN_NEW_YORK,
        "confirmed_at": NOON_IN_NEW_YORK - timedelta(minutes=25),
    }
    return StopRecord(**values | changes)


async def asked(cards: ShowStop, ref: str) -> CommandAnswer:
    command = DeskCommand(
        vendor_id="command:1",
        kind=CommandKind.SHOW_STOP,
        dispatcher="U0DANA",
        channel="C0DISPATCH",
        fields={"stop": ref},
        occurred_at=NOON_IN_NEW_YORK,
    )
    return await cards(command)


async def add(database: Database, *rows: Any) -> None:
    async with database.transaction() as session:
        for row in rows:
            session.add(row)
            await session.flush()


async def test_a_stop_is_found_by_its_tracking_number_in_any_case(
    cards: ShowStop, database: Database
) -> None:
    await add(database, stop("Trk-17"), stop("Trk-18", recipient_name="Kim Roe"))
    answer = await asked(cards, " TRK-17 ")
    assert answer.code is AnswerCode.STOP_SHOWN
    assert answer.stop is not None
    assert (answer.stop.tracking, answer.stop.driver_name) == ("Trk-17", "Van 7")
    assert answer.stop.eta_age == timedelta(minutes=25)
    assert answer.stop.phone_end == "42"
    shown = answer.model_dump_json()
    assert "2125550" not in shown
    assert DOOR_CODE not in shown


async def test_of_several_with_one_order_number_the_open_one_is_shown(
    cards: ShowStop, database: Database
) -> None:
    done = stop("old", status=StopStatus.FAILED, completed_at=NOON_IN_NEW_YORK - timedelta(days=1))
    await add(database, done, stop("new"))
    answer = await asked(cards, "a-9")
    assert answer.stop is not None
    assert (answer.stop.tracking, answer.stop.more) == ("new", 1)


@pytest.mark.parametrize("ref", ["", "   ", "T99", "%", "14 Elm St"])
async def test_nothing_is_guessed(cards: ShowStop, database: Database, ref: str) -> None:
    await add(database, stop("T17"))
    assert (await asked(cards, ref)).code is AnswerCode.NOTHING_FOUND


async def test_its_history_is_told_the_newest_first(cards: ShowStop, database: Database) -> None:
    late = stop("T17")
    rows = [
        Escalation(
            cause_key=f"cause-{hours}",
            severity=Severity.AT_RISK,
            state=EscalationState.RESOLVED,
            timezone="America/New_York",
            why="late",
            channel="dispatch",
            raised_at=NOON_IN_NEW_YORK - timedelta(hours=hours),
            outcome=f"outcome {hours}",
        )
        for hours in (5, 1, 3)
    ]
    await add(database, late, *rows)
    await add(
        database,
        *[EscalationStop(escalation_id=row.id, stop_id=late.id, joined_at=NOON_IN_NEW_YORK) for row in rows],
    )
    answer = await asked(cards, "T17")
    assert answer.stop is not None
    assert [past.outcome for past in answer.stop.escalations] == ["outcome 1", "outcome 3", "outcome 5"]
