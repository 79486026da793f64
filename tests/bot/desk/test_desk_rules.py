"""What a press means, and which changes of a manifest can be seen: pure, edges first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.desk.models import DeskTask
from bot.desk.rules import digest_of, judge, needs_more
from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import (
    Choice,
    ManifestChange,
    ManifestLine,
    ManifestRoute,
    ManifestView,
    ShiftState,
    Suggestion,
    TaskAction,
    TaskFacts,
    TaskKind,
    TaskRefusal,
    TaskState,
)

AT = datetime(2026, 6, 9, 16, tzinfo=UTC)
DANA, SAM = "U0DANA", "U0SAM"


def task(**changes: Any) -> DeskTask:
    facts = TaskFacts(suggestions=(Suggestion(driver_ref="w-1", driver_name="Ana"),))
    values: dict[str, Any] = {
        "id": uuid4(),
        "key": "k",
        "kind": TaskKind.CHANGE_WINDOW,
        "state": TaskState.OPEN,
        "timezone": "America/New_York",
        "facts": facts.model_dump(mode="json"),
        "choices": ["approve", "decline", "assign"],
        "approvals_needed": 1,
        "approved_by": [],
        "channel": "#dispatch",
        "created_at": AT,
        "asked_at": AT,
    }
    return DeskTask(**values | changes)


def press(choice: Choice = Choice.APPROVE, dispatcher: str = DANA, value: str = "") -> TaskAction:
    return TaskAction(
        vendor_id="v",
        task_id=str(uuid4()),
        choice=choice,
        value=value,
        dispatcher=dispatcher,
        channel="C",
        message_ts="1",
        occurred_at=AT,
    )


@pytest.mark.parametrize(
    ("changes", "action", "allowed", "refusal"),
    [
        ({}, press(), (), None),
        ({}, press(), {DANA}, None),
        ({}, press(), {SAM}, TaskRefusal.NOT_A_DISPATCHER),
        ({"state": TaskState.CARRYING_OUT}, press(), (), TaskRefusal.ALREADY_SETTLED),
        ({"state": TaskState.APPROVED}, press(Choice.DECLINE), (), TaskRefusal.ALREADY_SETTLED),
        ({"state": TaskState.EXPIRED}, press(), {SAM}, TaskRefusal.NOT_A_DISPATCHER),
        ({"approvals_needed": 2, "approved_by": [DANA]}, press(), (), TaskRefusal.NEEDS_SOMEBODY_ELSE),
        ({"approvals_needed": 2, "approved_by": [DANA]}, press(dispatcher=SAM), (), None),
        ({"approvals_needed": 2, "approved_by": [DANA]}, press(Choice.DECLINE), (), None),
        ({}, press(Choice.DONE), (), TaskRefusal.NOT_OFFERED),
        ({}, press(Choice.ASSIGN, value="w-1"), (), None),
        ({}, press(Choice.ASSIGN, value="w-2"), (), TaskRefusal.NOT_OFFERED),
    ],
)
def test_a_press_counts_or_says_why_not(
    changes: dict[str, Any], action: TaskAction, allowed: Any, refusal: TaskRefusal | None
) -> None:
    assert judge(task(**changes), action, allowed) is refusal


@pytest.mark.parametrize(
    ("needed", "approved_by", "choice", "more"),
    [
        (1, [], Choice.APPROVE, False),
        (2, [], Choice.APPROVE, True),
        (2, [SAM], Choice.APPROVE, False),
        (2, [], Choice.DECLINE, False),
    ],
)
def test_two_people_are_counted_only_for_approving(
    needed: int, approved_by: list[str], choice: Choice, more: bool
) -> None:
    assert needs_more(task(approvals_needed=needed, approved_by=approved_by), press(choice)) is more


# --- what of a manifest can be seen -------------------------------------------------------------------


def line(**changes: Any) -> ManifestLine:
    values: dict[str, Any] = {
        "stop_id": "s-1",
        "tracking": "T1",
        "client": "Acme",
        "address_line": "14 Elm St",
        "window": DeliveryWindow(start_at=AT, end_at=AT + timedelta(hours=2)),
        "status": StopStatus.PLANNED,
    }
    return ManifestLine(**values | changes)


def manifest(
    first: ManifestLine | None = None, route: dict[str, Any] | None = None, **changes: Any
) -> ManifestView:
    own = {"route_ref": "r", "name": "N1", "driver_name": "Ana", "lines": (first or line(),)} | (route or {})
    values: dict[str, Any] = {
        "zone": "North",
        "day": date(2026, 6, 9),
        "timezone": "America/New_York",
        "as_of": AT,
        "posted_at": AT,
        "routes": (ManifestRoute(**own),),
    }
    return ManifestView(**values | changes)


@pytest.mark.parametrize(
    "same",
    [
        manifest(as_of=AT + timedelta(minutes=5)),
        manifest(page_url="https://host.example/board/manifest?another=signature"),
        manifest(line(eta_at=AT)),
        manifest(line(sequence=7)),
        manifest(line(status=StopStatus.DELIVERED)),
    ],
)
def test_what_the_post_does_not_show_makes_no_edit(same: ManifestView) -> None:
    assert digest_of(same) == digest_of(manifest())


@pytest.mark.parametrize(
    "other",
    [
        manifest(line(status=StopStatus.CANCELLED)),
        manifest(line(change=ManifestChange.MOVED)),
        manifest(line(window=None)),
        manifest(route={"shift": ShiftState.CONFIRMED}),
        manifest(route={"load": 3.0}),
        manifest(route={"lines": (line(), line(stop_id="s-2"))}),
        manifest(without_route=(line(stop_id="s-2"),)),
        manifest(posted_at=None),
    ],
)
def test_what_the_post_shows_makes_one(other: ManifestView) -> None:
    assert digest_of(other) != digest_of(manifest())
