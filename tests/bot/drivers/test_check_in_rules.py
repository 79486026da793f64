"""Whom the rules ask about which stop, and when they keep quiet."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.drivers.check_in_rules import Asked, Said, Threatened, ThreatenedVan, stop_to_ask
from bot.sop_drivers import CheckIns

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = CheckIns()


def stop(number: int = 1, *, since: float = -20, ends: float = 30, eta: float | None = 45) -> Threatened:
    return Threatened(
        stop_id=UUID(int=number),
        escalation_id=UUID(int=99),
        since=NOON + since * MINUTE,
        ends_at=NOON + ends * MINUTE,
        expected_at=None if eta is None else NOON + eta * MINUTE,
        is_explained=False,
    )


def asked(minutes_ago: float, number: int = 7, *, answered: bool = True) -> Asked:
    return Asked(UUID(int=number), NOON - minutes_ago * MINUTE, answered)


def said(minutes_ago: float, *, holds: float = 0, has_time: bool = True) -> Said:
    return Said(NOON - minutes_ago * MINUTE, NOON + holds * MINUTE, has_time)


VAN = ThreatenedVan("onfleet", "van-1", (stop(),), (), None, None)


@pytest.mark.parametrize(
    ("van", "number"),
    [
        pytest.param(VAN, 1, id="nobody knows why"),
        pytest.param(replace(VAN, stops=(stop(since=-10.9),)), None, id="may be at the wheel"),
        pytest.param(replace(VAN, stops=(stop(since=-11),)), 1, id="has driven for long enough"),
        pytest.param(replace(VAN, stops=(stop(since=-3),), stood_at=NOON - 5 * MINUTE), 1, id="is at a door"),
        pytest.param(
            replace(VAN, stops=(stop(since=-3),), stood_at=NOON - 6 * MINUTE), None, id="has left it again"
        ),
        pytest.param(
            replace(VAN, stops=(stop(since=-2.9),), stood_at=NOON), None, id="may explain itself yet"
        ),
        pytest.param(replace(VAN, stops=(stop(ends=61),)), None, id="the window ends late"),
        pytest.param(replace(VAN, stops=(stop(ends=52),)), 1, id="the window ends within the hour"),
        pytest.param(replace(VAN, stops=(replace(stop(), is_explained=True),)), None, id="somebody said why"),
        pytest.param(replace(VAN, stops=(stop(1), stop(2, eta=60))), 2, id="the one that will be latest"),
        pytest.param(
            replace(VAN, stops=(stop(1), stop(2, ends=-20, eta=None))), 2, id="late already, and no ETA"
        ),
        pytest.param(replace(VAN, asked=(asked(19),)), None, id="just asked about another"),
        pytest.param(replace(VAN, asked=(asked(20),)), 1, id="asked about another, a while ago"),
        pytest.param(replace(VAN, asked=(asked(59, answered=False),)), None, id="one question at a time"),
        pytest.param(replace(VAN, asked=(asked(60, answered=False),)), 1, id="that one was ignored"),
        pytest.param(replace(VAN, asked=(asked(300, 1),)), None, id="once about each stop"),
        pytest.param(
            replace(VAN, asked=tuple(asked(60 * n, n + 10) for n in range(1, 7))), None, id="enough for a day"
        ),
        pytest.param(replace(VAN, said=said(10, holds=5)), None, id="the driver said how long"),
        pytest.param(replace(VAN, said=said(40, holds=-1)), 1, id="that time has passed"),
        pytest.param(replace(VAN, said=said(40, has_time=False)), None, id="the driver said why"),
        pytest.param(replace(VAN, said=said(61, holds=60)), 1, id="that was long ago"),
    ],
)
def test_which_stop_is_asked_about(van: ThreatenedVan, number: int | None) -> None:
    found = stop_to_ask(van, RULES, NOON)
    assert (found.stop_id.int if found is not None else None) == number


@given(
    numbers=st.lists(st.integers(1, 9), min_size=1, unique=True),
    steps=st.lists(st.tuples(st.integers(1, 90), st.booleans()), max_size=40),
)
def test_a_driver_is_never_asked_too_often(numbers: list[int], steps: list[tuple[int, bool]]) -> None:
    van = replace(VAN, stops=tuple(stop(number, ends=-number) for number in numbers))
    now, history = NOON, list[Asked]()
    for minutes, answers in steps:
        now += minutes * MINUTE
        found = stop_to_ask(replace(van, asked=tuple(history)), RULES, now)
        if found is not None:
            history.append(Asked(found.stop_id, now, answers))
    assert len({each.stop_id for each in history}) == len(history)
    times = [each.at for each in history]
    assert all(later - earlier >= 20 * MINUTE for earlier, later in itertools.pairwise(times))
    for at in times:
        assert sum(at - timedelta(hours=16) <= each <= at for each in times) <= RULES.most_a_day
