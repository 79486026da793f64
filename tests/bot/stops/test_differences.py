"""Differences are found field by field, and nothing that is equal is called different."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.stops.columns import columns_of
from bot.stops.differences import Difference, differences
from bot.stops.models import StopRecord
from connectors.base import (
    ACCESS_CODE_LABEL,
    Address,
    DeliveryWindow,
    FailureReason,
    ProofOfDelivery,
    Stop,
    StopStatus,
)

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
STOP = Stop(
    platform="onfleet",
    platform_ref="a",
    tracking="t-1",
    own_ref="DL-0001",
    status=StopStatus.OUT_FOR_DELIVERY,
    address=Address(line="14 Elm St", postcode="10001", latitude=40.7, longitude=-74.0),
    timezone="America/New_York",
    recipient_phone="+12125550100",
    window=DeliveryWindow(start_at=NOON, end_at=NOON + timedelta(hours=2)),
    eta_at=NOON + timedelta(hours=1),
    driver_ref="d-1",
    route_ref="r-1",
    service=timedelta(minutes=5),
    notes=f"knock\n{ACCESS_CODE_LABEL}K9",
    changed_at=NOON,
)


def stored(stop: Stop) -> StopRecord:
    return StopRecord(
        platform=stop.platform, platform_ref=stop.platform_ref, confirmed_at=NOON, **columns_of(stop)
    )


def test_what_was_stored_as_it_was_told_differs_in_nothing() -> None:
    later = STOP.model_copy(update={"changed_at": NOON + timedelta(hours=1)})
    assert differences([stored(STOP)], [later]) == []
    assert differences([], []) == []


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("status", {"status": StopStatus.DELIVERED}),
        ("window_end_at", {"window": DeliveryWindow(start_at=NOON, end_at=NOON + timedelta(hours=3))}),
        ("window_start_at", {"window": DeliveryWindow(start_at=NOON + timedelta(hours=1), end_at=STOP.window.end_at)}),  # type: ignore[union-attr]
        ("eta_at", {"eta_at": None}),
        ("driver_ref", {"driver_ref": "d-2"}),
        ("route_ref", {"route_ref": None}),
        ("address_line", {"address": STOP.address.model_copy(update={"line": "15 Elm St"})}),
        ("recipient_phone", {"recipient_phone": None}),
        ("notes", {"notes": "knock twice"}),
        ("own_ref", {"own_ref": None}),
        ("reattempt_of", {"reattempt_of": "b"}),
        ("completed_at", {"completed_at": NOON}),
        ("failure_reason", {"failure_reason": FailureReason.REFUSED}),
        ("proof", {"proof": ProofOfDelivery(note="left at the door")}),
        ("service_seconds", {"service": None}),
        ("load", {"load": 2.0}),
    ],
)  # fmt: skip
def test_each_field_that_differs_is_told_with_both_values(field: str, change: dict[str, object]) -> None:
    theirs = STOP.model_copy(update=change)
    (found,) = differences([stored(STOP)], [theirs])
    assert (found.platform, found.platform_ref, found.field) == ("onfleet", "a", field)
    assert found.ours != found.theirs
    assert found == Difference.model_validate(found.model_dump(mode="json"))


def test_an_access_code_is_neither_compared_nor_shown() -> None:
    other_code = STOP.model_copy(update={"notes": f"knock\n{ACCESS_CODE_LABEL}Z1"})
    assert differences([stored(STOP)], [other_code]) == []


def test_a_stop_that_one_side_has_alone_is_one_difference() -> None:
    other = STOP.model_copy(update={"platform_ref": "b"})
    found = differences([stored(STOP)], [other])
    assert [(each.platform_ref, each.field, each.ours, each.theirs) for each in found] == [
        ("a", "stop", "out_for_delivery", None),
        ("b", "stop", None, "out_for_delivery"),
    ]
    # The same reference on another account is another stop.
    west = STOP.model_copy(update={"platform": "onfleet_west"})
    assert len(differences([stored(STOP)], [west])) == 2
