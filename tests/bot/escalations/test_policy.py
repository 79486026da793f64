"""Which policy decides, when its steps are due, what is repeated: tables first, then whatever hypothesis thinks of."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.errors import ProtocolError
from bot.escalations.hours import holds_at, next_opening
from bot.escalations.policy import Facts, PlannedStep, choose, plan_repeat, plan_round, takes_at, taking_of
from bot.sop import load_protocol
from bot.sop_escalations import (
    Escalations,
    HolidayRule,
    Hours,
    OutOfHours,
    Repeat,
    Steps,
    Taking,
    Tier,
    TierKind,
)
from bot.sop_parts import Weekday
from connectors.escalation import Severity
from tests.harness.protocol import protocol_with

NEW_YORK = "America/New_York"
MINUTE = timedelta(minutes=1)
INDEPENDENCE_DAY = date(2026, 7, 3)
"""Friday; in 2026 the fourth is a Saturday."""
HOLIDAYS = frozenset({INDEPENDENCE_DAY})

DAYTIME = Hours(start=time(7), end=time(22))
OFFICE = Hours(
    start=time(9),
    end=time(17),
    weekdays=frozenset(list(Weekday)[:5]),
    holidays=HolidayRule.NEVER,
)
NIGHT = Hours(start=time(22), end=time(6), weekdays=frozenset({Weekday.FRIDAY}))
ONLY_HOLIDAYS = Hours(holidays=HolidayRule.ONLY)


def local(day: int, clock: str, month: int = 6) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)


def tier(kind: str, after: int, to: str = "on_call", **more: object) -> Tier:
    return Tier.model_validate({"kind": kind, "after_minutes": after, "to": to, **more})


POST = tier("post", 0)


def steps_of(*tiers: Tier, **more: object) -> Steps:
    return Steps.model_validate({"tiers": (POST, *tiers), **more})


# --- hours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "at", "holds", "opens"),
    [
        (DAYTIME, local(9, "07:00"), True, local(9, "07:00")),
        (DAYTIME, local(9, "06:59"), False, local(9, "07:00")),
        (DAYTIME, local(9, "22:00"), False, local(10, "07:00")),
        (Hours(), local(9, "00:00"), True, local(9, "00:00")),
        (OFFICE, local(5, "17:00"), False, local(8, "09:00")),  # Friday evening: Monday
        (OFFICE, local(2, "17:00", 7), False, local(6, "09:00", 7)),  # Thursday before the holiday
        (NIGHT, local(5, "21:59"), False, local(5, "22:00")),
        (NIGHT, local(6, "05:59"), True, local(6, "05:59")),  # Saturday morning is Friday's night
        (NIGHT, local(6, "06:00"), False, local(12, "22:00")),
        (NIGHT, local(5, "05:00"), False, local(5, "22:00")),  # ... and Friday morning Thursday's
        (ONLY_HOLIDAYS, local(9, "12:00"), False, local(3, "00:00", 7)),
    ],
)
def test_local_hours_hold_and_open_again(hours: Hours, at: datetime, holds: bool, opens: datetime) -> None:
    assert holds_at(hours, at, NEW_YORK, HOLIDAYS) is holds
    assert next_opening(hours, at, NEW_YORK, HOLIDAYS) == opens


def test_hours_that_begin_in_the_hour_that_spring_leaps_over_begin_at_the_leap() -> None:
    at = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    opens_at = next_opening(Hours(start=time(2, 30), end=time(9)), at, NEW_YORK, HOLIDAYS)
    assert opens_at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_hours_inside_the_leap_wait_for_the_next_day() -> None:
    at = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    opens_at = next_opening(Hours(start=time(2, 10), end=time(2, 40)), at, NEW_YORK, HOLIDAYS)
    assert opens_at == datetime(2026, 3, 9, 6, 10, tzinfo=UTC)


def test_hours_that_never_come_back_are_said_to() -> None:
    assert next_opening(ONLY_HOLIDAYS, local(9, "12:00"), NEW_YORK, frozenset()) is None


# --- which policy ---------------------------------------------------------------------------------


def section(*policies: Mapping[str, object]) -> Escalations:
    return Escalations.model_validate(
        {
            "channels": {"default": "#d"},
            "dispatchers": [],
            "mention": "<!here>",
            "tiers": [{"kind": "post", "after_minutes": 0}, {"kind": "mention", "after_minutes": 10}],
            "acknowledgement_holds_minutes": 60,
            "policies": [{"tiers": [{"kind": "post", "after_minutes": 0}], **policy} for policy in policies],
        }
    )


LATE = Facts(
    severity=Severity.BREACHED,
    timezone=NEW_YORK,
    minutes_late=25,
    exposure_usd=300,
    clients=frozenset({"Acme", "Nova"}),
    zone="North",
    service="cold",
)


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({}, True),
        ({"severity": ["breached"]}, True),
        ({"severity": ["at_risk"]}, False),
        ({"minutes_late_from": 25}, True),
        ({"minutes_late_from": 26}, False),
        ({"exposure_usd_from": 300}, True),
        ({"exposure_usd_from": 301}, False),
        ({"clients": ["Nova"]}, True),
        ({"clients": ["Zeta"]}, False),
        ({"zones": ["North", "South"]}, True),
        ({"zones": ["South"]}, False),
        ({"services": ["cold"]}, True),
        ({"services": [""]}, False),
        ({"hours": {"start": "12:00", "end": "13:00"}}, True),
        ({"hours": {"start": "12:01", "end": "13:00"}}, False),
        ({"hours": {"weekdays": ["tuesday"]}}, True),
        ({"hours": {"weekdays": ["sunday"]}}, False),
        ({"hours": {"holidays": "only"}}, False),
        ({"severity": ["breached"], "zones": ["South"]}, False),
    ],
)
def test_a_policy_fits_where_all_its_conditions_do(when: dict[str, object], fits: bool) -> None:
    chosen = choose(section({"name": "urgent", "when": when}), LATE, local(9, "12:00"))
    assert chosen == ("urgent" if fits else "")


def test_the_first_policy_that_fits_decides() -> None:
    policies = (
        {"name": "south", "when": {"zones": ["South"]}},
        {"name": "a", "when": {}},
        {"name": "b", "when": {}},
    )
    assert choose(section(*policies), LATE, local(9, "12:00")) == "a"


def test_public_holidays_are_those_of_the_protocols_place() -> None:
    policy = {"name": "quiet", "when": {"hours": {"holidays": "only"}}}
    assert choose(section(policy), LATE, local(3, "12:00", 7)) == "quiet"


# --- which steps ----------------------------------------------------------------------------------


def told(planned: list[PlannedStep], since: datetime) -> list[tuple[str, int, int, str]]:
    return [
        (step.kind.value, round((step.due_at - since) / MINUTE), step.place, step.person) for step in planned
    ]


def test_waits_count_from_the_moment_it_was_armed_and_the_post_is_not_repeated() -> None:
    steps = steps_of(tier("mention", 10), tier("sms", 15), tier("call", 20, "dana"))
    noon = local(9, "12:00")
    planned = plan_round(steps, noon, NEW_YORK, HOLIDAYS)
    assert told(planned, noon) == [("mention", 10, 0, ""), ("sms", 15, 0, ""), ("call", 20, 0, "dana")]


def test_the_next_person_is_the_first_whom_no_earlier_step_reaches_this_way() -> None:
    pairs = [
        ("mention", "on_call"),
        ("sms", "on_call"),
        ("call", "on_call"),
        ("sms", "next"),
        ("call", "next"),
    ]
    pairs += [("call", "next"), ("mention", "next")]
    steps = steps_of(*(tier(kind, 10 + number, to) for number, (kind, to) in enumerate(pairs)))
    planned = plan_round(steps, local(9, "12:00"), NEW_YORK, HOLIDAYS)
    assert [step.place for step in planned] == [0, 0, 0, 1, 1, 2, 1]
    assert plan_round(steps_of(tier("call", 5, "next")), local(9, "12:00"), NEW_YORK, HOLIDAYS)[0].place == 1


def test_a_step_outside_its_hours_waits_for_them_and_keeps_its_distance() -> None:
    hours = {"start": "07:00", "end": "22:00"}
    steps = steps_of(tier("mention", 10), tier("sms", 15, hours=hours), tier("call", 20, hours=hours))
    at = local(9, "21:50")
    planned = plan_round(steps, at, NEW_YORK, HOLIDAYS)
    assert [step.due_at for step in planned] == [local(9, "22:00"), local(10, "07:00"), local(10, "07:05")]
    assert [step.planned_at for step in planned] == [local(9, "22:00"), local(9, "22:05"), local(9, "22:10")]


def test_a_step_outside_its_hours_goes_to_the_out_of_hours_tier_at_once() -> None:
    hours = {"start": "07:00", "end": "22:00"}
    steps = steps_of(
        tier("mention", 10, hours=hours),
        tier("call", 20),
        out_of_hours={"kind": "sms", "to": "next"},
    )
    at = local(9, "23:00")
    assert told(plan_round(steps, at, NEW_YORK, HOLIDAYS), at) == [("sms", 10, 1, ""), ("call", 20, 0, "")]


def test_a_repeat_begins_at_its_step_and_is_bounded() -> None:
    repeat = {"from_step": 3, "times": 2, "wait_minutes": 30}
    steps = steps_of(tier("mention", 10), tier("sms", 15), tier("call", 20), repeat=repeat)
    noon = local(9, "12:00")
    assert told(plan_repeat(steps, 0, noon, NEW_YORK, HOLIDAYS), noon) == [
        ("sms", 30, 0, ""),
        ("call", 35, 0, ""),
    ]
    assert plan_repeat(steps, 1, noon, NEW_YORK, HOLIDAYS)
    assert plan_repeat(steps, 2, noon, NEW_YORK, HOLIDAYS) == []
    assert plan_repeat(steps_of(tier("mention", 10)), 0, noon, NEW_YORK, HOLIDAYS) == []


def test_each_tier_says_which_gestures_are_enough() -> None:
    steps = steps_of(tier("mention", 10), tier("call", 20, takes=["call", "button"]))
    assert takes_at(steps, 1) == frozenset(Taking)
    assert takes_at(steps, 2) == {Taking.CALL, Taking.BUTTON}
    assert takes_at(steps, 9) == frozenset(Taking)  # of a protocol that was shortened meanwhile


@pytest.mark.parametrize(
    ("gesture", "taking"),
    [
        ("reaction:eyes", Taking.REACTION),
        ("sms:1", Taking.SMS),
        ("call:1", Taking.CALL),
        ("modal:x", Taking.BUTTON),
    ],
)
def test_gestures_are_told_apart_by_how_they_begin(gesture: str, taking: Taking) -> None:
    assert taking_of(gesture) is taking


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tiers": [{"kind": "mention", "after_minutes": 0}]}, "the first tier to be of kind `post`"),
        ({"tiers": [{"kind": "post", "after_minutes": 0}] * 2}, "one tier of kind `post`"),
        (
            {"tiers": [{"kind": "post", "after_minutes": 9}, {"kind": "sms", "after_minutes": 1}]},
            "in the order",
        ),
        ({"repeat": {"from_step": 3, "times": 1, "wait_minutes": 5}}, "one of the steps 2 to 2"),
        ({"repeat": {"from_step": 1, "times": 1, "wait_minutes": 5}}, "greater than or equal to 2"),
        ({"repeat": {"from_step": 2, "times": 99, "wait_minutes": 5}}, "less than or equal to 10"),
        ({"out_of_hours": {"kind": "post"}}, "'mention'"),
        ({"dispatcher_group": "north"}, "pattern"),
        ({"policies": [{"name": "a", "when": {"colour": 1}, "tiers": []}]}, "colour"),
    ],
)
def test_a_mistake_in_the_policy_says_what_is_expected(changes: dict[str, object], expected: str) -> None:
    written = section().model_dump(mode="json") | changes
    with pytest.raises(ValidationError, match=expected):
        Escalations.model_validate(written)


def test_two_policies_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValidationError, match="found twice: a"):
        section({"name": "a", "when": {}}, {"name": "a", "when": {}})


# --- whatever the protocol says -------------------------------------------------------------------

ZONES = st.sampled_from([NEW_YORK, "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
MOMENTS = st.integers(0, 420 * 24 * 60).map(
    lambda minutes: datetime(2025, 12, 1, tzinfo=UTC) + minutes * MINUTE
)
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 10, 30, 59]))
HOURS = st.none() | st.builds(
    Hours,
    start=TIMES,
    end=TIMES,
    weekdays=st.frozensets(st.sampled_from(Weekday), max_size=7),
    holidays=st.sampled_from(HolidayRule),
)
OUT = st.just("defer") | st.builds(
    OutOfHours,
    kind=st.sampled_from([TierKind.MENTION, TierKind.SMS]),
    to=st.sampled_from(["on_call", "next", "dana"]),
)


@st.composite
def protocols(draw: st.DrawFn) -> Steps:
    waits = sorted(draw(st.lists(st.integers(0, 600), min_size=1, max_size=6)))
    kinds = st.sampled_from([TierKind.MENTION, TierKind.SMS, TierKind.CALL])
    tiers = [
        Tier(
            kind=draw(kinds),
            after_minutes=wait,
            to=draw(st.sampled_from(["on_call", "next"])),
            hours=draw(HOURS),
        )
        for wait in waits
    ]
    repeat = st.builds(
        Repeat,
        from_step=st.integers(2, len(tiers) + 1),
        times=st.integers(1, 4),
        wait_minutes=st.integers(1, 90),
    )
    return Steps(tiers=(POST, *tiers), repeat=draw(st.none() | repeat), out_of_hours=draw(OUT))


@settings(max_examples=60, deadline=None)
@given(protocols(), MOMENTS, ZONES)
def test_no_step_comes_before_its_wait_and_none_is_dropped(
    steps: Steps, armed_at: datetime, zone: str
) -> None:
    planned = plan_round(steps, armed_at, zone, HOLIDAYS)
    assert [step.tier for step in planned] == list(range(1, len(steps.tiers)))
    for step in planned:
        tier_ = steps.tiers[step.tier]
        assert step.planned_at == armed_at + tier_.after
        assert step.due_at >= step.planned_at
        if step.out_of_hours:
            assert isinstance(steps.out_of_hours, OutOfHours)
            assert step.kind is steps.out_of_hours.kind
        elif (
            tier_.hours is not None and next_opening(tier_.hours, step.planned_at, zone, HOLIDAYS) is not None
        ):
            assert holds_at(tier_.hours, step.due_at, zone, HOLIDAYS)
        else:
            assert step.kind is tier_.kind
            assert not step.is_deferred
    if steps.out_of_hours != "defer":
        assert not any(step.is_deferred for step in planned)


@settings(max_examples=60, deadline=None)
@given(protocols(), MOMENTS, ZONES)
def test_repeats_end(steps: Steps, now: datetime, zone: str) -> None:
    repeats = 0
    while planned := plan_repeat(steps, repeats, now, zone, HOLIDAYS):
        assert steps.repeat is not None
        assert min(step.due_at for step in planned) >= now + timedelta(minutes=steps.repeat.wait_minutes)
        assert len(planned) == len(steps.tiers) - steps.repeat.from_step + 1
        repeats, now = repeats + 1, max(step.due_at for step in planned)
    assert repeats == (steps.repeat.times if steps.repeat is not None else 0)


@settings(max_examples=60, deadline=None)
@given(HOURS.filter(lambda hours: hours is not None), MOMENTS, ZONES)
def test_the_opening_is_the_first_minute_at_which_the_hours_hold(
    hours: Hours, at: datetime, zone: str
) -> None:
    opens_at = next_opening(hours, at, zone, HOLIDAYS)
    if opens_at is None:
        return
    assert holds_at(hours, opens_at, zone, HOLIDAYS)
    probe = at
    while probe < min(opens_at, at + timedelta(days=2)):
        assert not holds_at(hours, probe, zone, HOLIDAYS)
        probe += timedelta(minutes=7)


def test_a_step_that_calls_somebody_unknown_is_a_mistake(tmp_path: Path) -> None:
    changes = {"{kind: mention, after_minutes: 10}": "{kind: call, after_minutes: 10, to: kim}"}
    with pytest.raises(ProtocolError, match="expected on_call, next or a key of `people`, found kim"):
        load_protocol(protocol_with(tmp_path, changes))
