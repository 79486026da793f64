"""Tasks and manifests for the Slack tests, and any of them that could ever be."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import (
    Choice,
    ManifestChange,
    ManifestLine,
    ManifestRoute,
    ManifestView,
    ShiftState,
    Suggestion,
    TaskFacts,
    TaskKind,
    TaskState,
    TaskView,
)

TASK_ID = "6f2c1e7a-4b1d-4c5e-9a51-0d8e2f3a4b5c"
NEW_YORK = "America/New_York"
TODAY = date(2024, 6, 10)


def utc(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 6, 10, hour, minute, tzinfo=UTC)


def window(start: int, end: int) -> DeliveryWindow:
    """Hours of New York's June 10th."""
    return DeliveryWindow(start_at=utc(start + 4), end_at=utc(end + 4))


def make_task(kind: TaskKind = TaskKind.CHANGE_WINDOW, **changes: Any) -> TaskView:
    values: dict[str, Any] = {
        "task_id": TASK_ID,
        "kind": kind,
        "state": TaskState.OPEN,
        "zone": "North",
        "client": "Acme",
        "timezone": NEW_YORK,
        "facts": TaskFacts(address_line="14 Elm St 2B", recipient_name="Robin Doe"),
        "choices": (Choice.APPROVE, Choice.DECLINE),
    }
    return TaskView(**values | changes)


def make_line(**changes: Any) -> ManifestLine:
    values: dict[str, Any] = {
        "stop_id": "S-17",
        "tracking": "T17",
        "client": "Acme",
        "address_line": "14 Elm St 2B",
        "window": window(14, 16),
        "status": StopStatus.PLANNED,
    }
    return ManifestLine(**values | changes)


def make_route(*lines: ManifestLine, **changes: Any) -> ManifestRoute:
    values: dict[str, Any] = {"route_ref": "r-1", "name": "N1", "driver_name": "Ana Ruiz"}
    return ManifestRoute(lines=lines or (make_line(),), **values | changes)


def make_manifest(*routes: ManifestRoute, **changes: Any) -> ManifestView:
    values: dict[str, Any] = {
        "zone": "North",
        "day": TODAY,
        "timezone": NEW_YORK,
        "as_of": utc(11, 31),
        "posted_at": utc(11),
    }
    return ManifestView(routes=routes, **values | changes)


# --- any of them ------------------------------------------------------------------------------------

NASTY = st.sampled_from(
    [
        "",
        " ",
        "<!channel> <@U0DANA0001> <https://evil.example|click>",
        "`code` *bold* ~struck~",
        "\u202egnp.exe \u2066\u2067 ארץ ישראל",
        "&" * 400,
        "line\nbreak\r\n\t\x00\x07",
        "x" * 5000,
    ]
) | st.text(max_size=30)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=366)).map(
    lambda passed: datetime(2024, 1, 1, tzinfo=UTC) + passed
)
WINDOWS = st.none() | MOMENTS.map(lambda at: DeliveryWindow(start_at=at, end_at=at + timedelta(hours=2)))
AMOUNTS = st.none() | st.floats(0, 1e9, allow_nan=False)
ZONES = st.sampled_from([NEW_YORK, "Europe/London", "Australia/Lord_Howe"])
PEOPLE = st.lists(st.sampled_from(["U0DANA0001", "U0OMAR0001"]), unique=True, max_size=2).map(tuple)

suggestions = st.builds(
    Suggestion,
    driver_ref=NASTY,
    driver_name=NASTY,
    zone=NASTY,
    load=AMOUNTS,
    capacity=AMOUNTS,
    stops_left=st.none() | st.integers(0, 5000),
)
facts = st.builds(
    TaskFacts,
    address_line=NASTY,
    tracking=NASTY,
    order_ref=NASTY,
    recipient_name=NASTY,
    window=WINDOWS,
    wanted_window=WINDOWS,
    day=st.none() | st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    driver_name=NASTY,
    driver_phone=st.none() | NASTY,
    route_name=NASTY,
    starts_at=st.none() | MOMENTS,
    answer_by=st.none() | MOMENTS,
    stops=st.integers(0, 10**6),
    stops_done=st.none() | st.integers(0, 10**6),
    load=AMOUNTS,
    capacity=AMOUNTS,
    change=NASTY | st.sampled_from(["added", "moved"]),
    reasons=st.lists(NASTY | st.sampled_from(["too_soon", "duplicate_of:T9"]), max_size=9).map(tuple),
    detail=NASTY,
    words=NASTY,
    asked_by=NASTY | st.sampled_from(["api", "csv"]),
    suggestions=st.lists(suggestions, max_size=6).map(tuple),
    addresses=st.lists(NASTY, max_size=12).map(tuple),
    minutes=st.none() | st.integers(-1440, 1440),
    routes=st.integers(0, 500),
    platform=NASTY,
)
tasks = st.builds(
    TaskView,
    task_id=st.uuids().map(str),
    kind=st.sampled_from(TaskKind),
    state=st.sampled_from(TaskState),
    zone=NASTY,
    client=NASTY,
    timezone=ZONES,
    facts=facts,
    choices=st.lists(st.sampled_from(Choice), max_size=5).map(tuple),
    approvals_needed=st.integers(1, 2),
    approved_by=PEOPLE,
    settled_by=st.none() | st.just("U0OMAR0001"),
    settled_at=st.none() | MOMENTS,
    outcome=NASTY | st.sampled_from(["moot", "time_ran_out"]),
)

lines = st.builds(
    ManifestLine,
    stop_id=st.just("S"),
    tracking=NASTY,
    order_ref=NASTY,
    client=NASTY,
    address_line=NASTY,
    recipient_name=NASTY,
    window=WINDOWS,
    status=st.sampled_from(StopStatus),
    change=st.none() | st.sampled_from(ManifestChange),
    earlier_window=WINDOWS,
    earlier_driver_name=NASTY,
)
routes = st.builds(
    ManifestRoute,
    route_ref=st.just("r"),
    name=NASTY,
    driver_name=NASTY,
    shift=st.sampled_from(ShiftState),
    starts_at=st.none() | MOMENTS,
    load=st.floats(0, 1e9),
    capacity=AMOUNTS,
    lines=st.lists(lines, max_size=4).map(tuple),
)
manifests = st.builds(
    ManifestView,
    zone=NASTY,
    day=st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    timezone=ZONES,
    as_of=MOMENTS,
    posted_at=st.none() | MOMENTS,
    # The same route again and again makes a long manifest cheaply.
    routes=st.tuples(st.lists(routes, max_size=4), st.sampled_from([1, 60])).map(
        lambda drawn: tuple(drawn[0] * drawn[1])
    ),
    without_route=st.lists(lines, max_size=3).map(tuple),
    page_url=st.sampled_from(["", "https://x.example/board/manifest?a=<!channel>|x"]),
)
