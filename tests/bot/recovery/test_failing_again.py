"""A stop that failed, is to be tried as the same stop again, and fails again: as OptimoRoute keeps orders."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import col

from bot.handover.models import ClientEvent
from bot.incidents.models import BrokenKind, PromiseIncident
from bot.recovery.answers import Preference
from bot.recovery.models import Recovery, RecoveryState, RecoveryStep
from bot.sop_recovery import Flow, RungKind
from connectors.base import FailureReason, StopStatus
from connectors.optimoroute.emulator_orders import Orders
from connectors.optimoroute.payloads import OrderStatus
from tests.bot.recovery.conftest import RECOVERY
from tests.bot.recovery.elsewhere import Elsewhere, OnOptimoRoute
from tests.bot.recovery.story import QUESTION
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World

LADDER = [{"kind": "ask", "after_minutes": 0}, {"kind": "default", "after_minutes": 180}]


class SameOrder(Elsewhere):
    """Whose orders a dispatcher tries again in OptimoRoute itself, instead of by a second order."""

    async def is_taken_back(self, tracking: str) -> None:
        """The driver had pressed the wrong button."""
        self._orders.set_completion({"id": self._refs[tracking], "data": {"status": "scheduled"}})
        await self.is_read()

    async def is_merged_onto(self, tracking: str, day: int) -> None:
        """The order is dated anew and stands on that day's route: of its failed try nothing is left there."""
        ref = self._refs[tracking]
        self._orders.set_completion({"id": ref, "data": {"status": "scheduled"}})
        date = self.world.local("09:00", day).date().isoformat()
        self._orders.write({"operation": "MERGE", "id": ref, "date": date}, geocode=False)
        self.world.optimoroute.take_off_route(ref)
        self.world.optimoroute.put_on_route(ref, "van-7")
        await self.is_read()

    async def fails_again(self, tracking: str, words: str, kind: str = "") -> None:
        self.is_given_up(tracking, words, kind)
        await self.is_read()

    async def all_of(self, tracking: str) -> list[Recovery]:
        stop = await self.world.stop_record(tracking)
        rows = await self.world.rows(Recovery, col(Recovery.stop_id) == stop.id)
        return sorted(rows, key=lambda row: row.opened_at)

    @property
    def _orders(self) -> Orders:
        return self.world.optimoroute.orders


@pytest.fixture
async def orders(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[SameOrder]:
    sop = protocol_of(tmp_path, {}, recovery=RECOVERY | {"ladder": LADDER})
    async with World(bare_setting, sop=sop, platforms=("optimoroute",)) as world:
        yield SameOrder(world, OnOptimoRoute(world))


async def test_who_fails_on_another_day_as_the_same_order_is_asked_again(orders: SameOrder) -> None:
    tracking = await orders.has_failed("rang twice, nobody home")
    assert len(await orders.world.recipient().reads()) == 1
    await orders.is_merged_onto(tracking, 1)
    (first,) = await orders.all_of(tracking)
    assert (first.state, first.is_past) == (RecoveryState.CLOSED, False)

    await orders.world.advance(hours=23)
    await orders.fails_again(tracking, "gate locked, no code")
    first, second = await orders.all_of(tracking)
    assert (first.state, first.is_past, first.attempt) == (RecoveryState.CLOSED, True, 1)
    assert (second.state, second.is_past, second.attempt) == (RecoveryState.ASKING, False, 2)
    assert (second.reason, second.flow) == (FailureReason.ACCESS_ISSUE, Flow.ACCESS_CODE)
    assert [QUESTION in text for text in await orders.world.recipient().reads()] == [True, True]

    wanted = Preference(window=orders.window("12:00", "17:00", 2))
    turn = await orders.turn("friday afternoon")
    outcome = await orders.world.doorline.services.recovery.answer(turn, str(second.id), wanted)
    assert outcome.result == "booked"
    await orders.world.settled()
    assert len(orders.held(tracking)) == 1
    events = await orders.world.rows(ClientEvent, col(ClientEvent.subject_id) == second.id)
    assert [event.kind for event in sorted(events, key=lambda row: row.seq or 0)] == [
        "recovery.opened",
        "recovery.reattempt_booked",
    ]
    incidents = await orders.world.rows(PromiseIncident)
    told = sorted((str(each.promised_end_at), each.kind, each.root_cause) for each in incidents)
    assert told == [
        ("2026-06-09 16:00:00+00:00", BrokenKind.FAILED_DELIVERY, FailureReason.RECIPIENT_UNAVAILABLE),
        ("2026-06-10 16:00:00+00:00", BrokenKind.FAILED_DELIVERY, FailureReason.ACCESS_ISSUE),
    ]


async def test_a_press_that_was_taken_back_is_no_try_and_its_words_are_forgotten(orders: SameOrder) -> None:
    tracking = await orders.has_failed("recipient did not order this")
    await orders.is_taken_back(tracking)
    await orders.world.advance(minutes=30)
    await orders.fails_again(tracking, "rang twice, nobody home")
    first, second = await orders.all_of(tracking)
    assert (first.state, first.is_past) == (RecoveryState.CLOSED, True)
    assert (second.state, second.attempt) == (RecoveryState.ASKING, 1)
    assert second.reason is FailureReason.RECIPIENT_UNAVAILABLE
    assert "order this" not in second.words


async def test_it_is_followed_up_as_often_as_it_fails_and_once_each_time(orders: SameOrder) -> None:
    tracking = await orders.has_failed()
    for day in (1, 2):
        await orders.is_merged_onto(tracking, day)
        await orders.world.advance(hours=23)
        orders.is_given_up(tracking, "rang twice, nobody home")
        await orders.world.sync()
        opening = orders.world.doorline.services.recovery_opening
        opened = await asyncio.gather(*(opening.open_due() for _ in range(4)))
        assert sum(opened) == 1
        await orders.world.tick()
    followed = await orders.all_of(tracking)
    assert [(each.attempt, each.is_past) for each in followed] == [(1, True), (2, True), (3, False)]
    asked = await orders.world.rows(RecoveryStep, col(RecoveryStep.result) == "sent")
    assert [step.kind for step in asked].count(RungKind.ASK) == len(orders.asker.asked)


async def test_what_was_merged_and_then_delivered_is_followed_up_no_more(orders: SameOrder) -> None:
    tracking = await orders.has_failed()
    await orders.is_merged_onto(tracking, 1)
    await orders.world.advance(hours=23)
    await orders.fails_again(tracking, "", OrderStatus.SUCCESS.value)
    (only,) = await orders.all_of(tracking)
    assert only.state is RecoveryState.CLOSED
    assert (await orders.world.stop_record(tracking)).status is StopStatus.DELIVERED
