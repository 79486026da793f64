"""Who is on call at an instant: turns, hours, overrides, calendars, groups; through the changes of the clocks."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.oncall.rota import Feeds, Source, shifts_between
from bot.sop_oncall import Duty
from connectors.duty import FeedShift, GroupMember
from tests.bot.oncall.rotas import NEW_YORK, PEOPLE, duty, keys, local, now, weekly

SECOND = timedelta(seconds=1)

NIGHTS = [
    {
        "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "hours": {"start": "08:00", "end": "20:00"},
    },
    {},
]


def two_layers() -> Duty:
    day, night = NIGHTS
    return duty(
        layers=[day | {"rotation": weekly("dana", "sam")}, night | {"rotation": weekly("lee", "ode")}]
    )


@pytest.mark.parametrize(
    ("at", "line"),
    [
        ("2026-06-01 07:59:59", []),
        ("2026-06-01 08:00", ["dana", "sam", "lee"]),
        ("2026-06-08 07:59:59", ["dana", "sam", "lee"]),
        ("2026-06-08 08:00", ["sam", "lee", "dana"]),
        ("2026-06-22 08:00", ["dana", "sam", "lee"]),
    ],
)
def test_turns_change_to_the_second(at: str, line: list[str]) -> None:
    assert keys(duty(rotation=weekly("dana", "sam", "lee")), local(at)) == line


def test_turns_of_days_pass_through_the_week() -> None:
    rota = duty(
        rotation={
            "people": ["dana", "sam"],
            "every_days": 2,
            "starts_on": "2026-06-01",
            "handover_at": "00:00",
        }
    )
    assert [keys(rota, local(f"2026-06-0{day} 12:00"))[0] for day in range(1, 8)] == [
        "dana", "dana", "sam", "sam", "dana", "dana", "sam",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "fold", "first"),
    [
        # March 8th 2026: 2 am to 3 am does not exist; the handover of 2:30 is as long after midnight as ever.
        ("2026-03-08 01:59:59", 0, "sam"),
        ("2026-03-08 03:29:59", 0, "sam"),
        ("2026-03-08 03:30", 0, "dana"),
        # November 1st 2026: 1 am to 2 am comes twice; the first 1:30 counts.
        ("2026-11-01 01:29:59", 0, "dana"),
        ("2026-11-01 01:30", 0, "sam"),
        ("2026-11-01 01:00", 1, "sam"),
        ("2026-11-01 01:45", 1, "sam"),
    ],
)
def test_a_handover_at_the_change_of_the_clocks_happens_once(at: str, fold: int, first: str) -> None:
    spring = at.startswith("2026-03")
    rotation = {
        "people": ["sam", "dana"] if spring else ["dana", "sam"],
        "every_weeks": 1,
        "starts_on": "2026-03-01" if spring else "2026-10-25",
        "handover_at": "02:30" if spring else "01:30",
    }
    assert keys(duty(rotation=rotation), local(at, fold=fold))[0] == first


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2026-06-09 07:59:59", "ode"),
        ("2026-06-09 08:00", "sam"),
        ("2026-06-09 19:59:59", "sam"),
        ("2026-06-09 20:00", "ode"),
        ("2026-06-13 12:00", "ode"),
    ],
)
def test_the_first_layer_whose_hours_it_is_decides(at: str, first: str) -> None:
    assert keys(two_layers(), local(at))[0] == first


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    hours = {"start": "22:00", "end": "06:00"}
    rota = duty(layers=[{"days": ["friday"], "hours": hours, "rotation": weekly("dana")}], allow_gaps=True)
    assert keys(rota, local("2026-06-05 22:00")) == ["dana"]
    assert keys(rota, local("2026-06-06 05:59:59")) == ["dana"]
    assert keys(rota, local("2026-06-06 06:00")) == []
    assert keys(rota, local("2026-06-06 22:00")) == []


def test_an_override_stands_in_and_who_it_replaces_is_not_called() -> None:
    rota = duty(
        rotation=weekly("dana", "sam", "lee"),
        overrides=[{"person": "ode", "start": "2026-06-02 10:00", "end": "2026-06-02 12:00"}],
        backups=["dana"],
    )
    assert keys(rota, local("2026-06-02 09:59:59")) == ["dana", "sam", "lee"]
    assert keys(rota, local("2026-06-02 10:00")) == ["ode", "sam", "lee"]
    assert now(rota, local("2026-06-02 11:59:59")).source is Source.OVERRIDE
    assert keys(rota, local("2026-06-02 12:00")) == ["dana", "sam", "lee"]


def test_an_override_fills_a_gap_too() -> None:
    rota = duty(
        layers=[{"hours": {"start": "08:00", "end": "20:00"}, "rotation": weekly("dana")}],
        overrides=[{"person": "sam", "start": "2026-06-02 22:00", "end": "2026-06-02 23:00"}],
        backups=["lee"],
        allow_gaps=True,
    )
    assert keys(rota, local("2026-06-02 22:30")) == ["sam", "lee"]
    assert keys(rota, local("2026-06-02 21:30")) == [], (
        "backups back somebody up; nobody alone is told as a gap"
    )


def test_backups_come_after_the_next_ones_each_once() -> None:
    rota = duty(rotation=weekly("dana", "sam"), backups=["ode", "sam"])
    assert keys(rota, local("2026-06-09 12:00")) == ["sam", "dana", "ode"]


def shift(start: str, end: str, *names: str) -> FeedShift:
    return FeedShift(start_at=local(start), end_at=local(end), names=names)


def calendar(*shifts: FeedShift) -> tuple[Duty, Feeds]:
    url = "https://calendar.example/on-call.ics"
    return duty(calendar=url), Feeds(calendars={url: shifts})


def test_in_a_calendar_the_event_that_began_last_lies_over_the_others() -> None:
    rota, feeds = calendar(
        shift("2026-06-08 00:00", "2026-06-15 00:00", "Dana Reyes"),
        shift("2026-06-09 18:00", "2026-06-09 22:00", "sam"),
    )
    assert keys(rota, local("2026-06-09 17:59:59"), feeds) == ["dana"]
    assert keys(rota, local("2026-06-09 18:00"), feeds) == ["sam", "dana"]
    assert keys(rota, local("2026-06-09 22:00"), feeds) == ["dana"]


def test_a_stranger_in_the_calendar_is_told_and_the_next_layer_has_it() -> None:
    url = "https://calendar.example/on-call.ics"
    rota = duty(layers=[{"calendar": url}, {"rotation": weekly("lee")}])
    feeds = Feeds(calendars={url: (shift("2026-06-08 00:00", "2026-06-15 00:00", "Kim"),)})
    on_duty = now(rota, local("2026-06-09 12:00"), feeds)
    assert ([each.key for each in on_duty.line], on_duty.strangers) == (["lee"], ("Kim",))


def test_a_group_is_called_in_slacks_order_those_whom_nobody_named_by_slack_alone() -> None:
    members = (GroupMember(slack="U0KIM", name="Kim"), GroupMember(slack="U0DANA", name="D."))
    on_duty = now(duty(group="S0NORTH"), local("2026-06-09 12:00"), Feeds(groups={"S0NORTH": members}))
    assert [(each.name, each.dispatcher, each.phone) for each in on_duty.line] == [
        ("Kim", "U0KIM", None),
        ("Dana Reyes", "U0DANA", "+12125550101"),
    ]


def test_a_source_that_was_never_read_has_nobody() -> None:
    assert now(duty(group="S0NORTH"), local("2026-06-09 12:00")).source is Source.NOBODY


# --- what holds for every rota -----------------------------------------------------------------------

ZONES = ["America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "America/Havana", "UTC"]
PERSON = st.sampled_from(sorted(PEOPLE))
CLOCK = st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 30])).map(lambda at: f"{at[0]:02d}:{at[1]:02d}")


@st.composite
def rotations(draw: st.DrawFn) -> dict[str, Any]:
    people = draw(st.lists(PERSON, min_size=1, max_size=4, unique=True))
    unit = draw(st.sampled_from(["every_days", "every_weeks"]))
    return {
        "people": people,
        unit: draw(st.integers(1, 9)),
        "starts_on": draw(
            st.dates(*(d.date() for d in (local("2025-01-01 12:00"), local("2026-03-01 12:00"))))
        ),
        "handover_at": draw(CLOCK),
    }


@st.composite
def rotas(draw: st.DrawFn) -> Duty:
    """A day's hours and a night's that meet, or one rotation around the clock; a few overrides apart from each other."""
    starts = draw(st.lists(st.integers(0, 700), max_size=3, unique=True).map(sorted))
    overrides = [
        {"person": draw(PERSON), "start": f"{day}T{draw(CLOCK)}", "end": f"{day}T23:45"}
        for n in starts
        if (day := (local("2026-01-01 12:00") + timedelta(days=n)).date())
    ]
    morning, evening = draw(st.lists(CLOCK, min_size=2, max_size=2, unique=True))
    layers = [
        {"hours": {"start": morning, "end": evening}, "rotation": draw(rotations())},
        {"hours": {"start": evening, "end": morning}, "rotation": draw(rotations())},
    ]
    chosen = layers if draw(st.booleans()) else [{"rotation": draw(rotations())}]
    return duty(layers=chosen, overrides=overrides, backups=draw(st.lists(PERSON, max_size=2)))


INSTANTS = st.one_of(
    st.datetimes(
        *(d.replace(tzinfo=None) for d in (local("2026-03-15 00:00"), local("2027-12-01 00:00")))
    ).map(lambda at: at.replace(tzinfo=NEW_YORK)),
    # Around the changes of the clocks.
    st.tuples(
        st.sampled_from(["2026-03-29 01:00", "2026-11-01 05:00", "2026-10-25 01:00", "2026-04-04 15:00"]),
        st.integers(-10_000, 10_000),
    ).map(lambda at: local(at[0], ZoneInfo("UTC")) + timedelta(seconds=at[1])),
)


@settings(max_examples=300, deadline=None)
@given(rota=rotas(), at=INSTANTS, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_hours_that_meet_leave_nobody_out_on_any_second_of_the_year(
    rota: Duty, at: Any, zone: ZoneInfo
) -> None:
    line = now(rota, at, zone=zone).line
    assert line, "somebody is on call"
    assert len(set(line)) == len(line)


@settings(max_examples=300, deadline=None)
@given(rota=rotas(), at=INSTANTS, zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_an_override_wins_wherever_it_holds(rota: Duty, at: Any, zone: ZoneInfo) -> None:
    wanted = [
        override.person
        for override in rota.overrides
        if override.start.replace(tzinfo=zone, fold=0).astimezone(ZoneInfo("UTC")) <= at
        and at < override.end.replace(tzinfo=zone, fold=0).astimezone(ZoneInfo("UTC"))
    ]
    assert len(wanted) <= 1
    on_duty = now(rota, at, zone=zone)
    if wanted:
        assert on_duty.line[0].key == wanted[0]
    assert (on_duty.source is Source.OVERRIDE) == bool(wanted)


@settings(max_examples=100, deadline=None)
@given(
    rota=rotas(),
    at=INSTANTS,
    hours=st.integers(1, 24 * 20),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    data=st.data(),
)
def test_shifts_say_of_every_second_what_is_true_of_it(
    rota: Duty, at: Any, hours: int, zone: ZoneInfo, data: st.DataObject
) -> None:
    start, end = at.astimezone(ZoneInfo("UTC")), at.astimezone(ZoneInfo("UTC")) + timedelta(hours=hours)
    shifts = shifts_between(rota, PEOPLE, start, end, zone, Feeds())
    assert (shifts[0].start_at, shifts[-1].end_at) == (start, end)
    for earlier, later in pairwise(shifts):
        assert earlier.end_at == later.start_at
        assert (earlier.person, earlier.source) != (later.person, later.source)
    for each in shifts:
        for instant in (each.start_at, each.end_at - SECOND):
            if each.start_at <= instant:
                assert now(rota, instant, zone=zone).line[0] == each.person
    second = start + timedelta(seconds=data.draw(st.integers(0, hours * 3600 - 1)))
    holding = [each for each in shifts if each.start_at <= second < each.end_at]
    assert [each.person for each in holding] == [now(rota, second, zone=zone).line[0]]


def test_a_stretch_that_nobody_has_is_a_shift_of_nobody() -> None:
    rota = duty(
        layers=[{"hours": {"start": "08:00", "end": "20:00"}, "rotation": weekly("dana")}], allow_gaps=True
    )
    shifts = shifts_between(
        rota, PEOPLE, local("2026-06-09 12:00"), local("2026-06-10 12:00"), NEW_YORK, Feeds()
    )
    assert [(each.person.name if each.person else None, each.start_at) for each in shifts] == [
        ("Dana Reyes", local("2026-06-09 12:00")),
        (None, local("2026-06-09 20:00")),
        ("Dana Reyes", local("2026-06-10 08:00")),
    ]
