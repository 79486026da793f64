"""Failed deliveries and a day in figures, as a client's program reads them."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from bot.recovery.models import Recovery, RecoveryState
from bot.sop_recovery import Flow
from connectors.base import FailureReason, StopStatus
from tests.bot.clients.shipping import a_stop
from tests.harness.clients import Program
from tests.harness.world import World

REASON = FailureReason.ACCESS_ISSUE


async def keep(world: World, *rows: SQLModel) -> None:
    async with world.doorline.services.database.transaction() as session:
        session.add_all(rows)


async def failures(world: World) -> list[Recovery]:
    """Three of Acme: with the recipient, booked with a second try, agreed but not written yet."""
    told: dict[str, Any] = {"status": StopStatus.FAILED, "failure_reason": REASON}
    stops = [a_stop(number, **told) for number in (1, 2, 3)]
    second = a_stop(9, status=StopStatus.PLANNED, completed_at=None)
    await keep(world, *stops, second)
    agreed = {"start_at": "2026-06-11T18:00:00Z", "end_at": "2026-06-11T20:00:00Z"}
    cases: list[dict[str, Any]] = [
        {"state": RecoveryState.ASKING},
        {"state": RecoveryState.BOOKED, "reattempt_id": second.id, "preference": {"choice": "reattempt"}},
        {
            "state": RecoveryState.WRITING,
            "preference": {"choice": "safe_place", "place": "shed", "window": agreed},
        },
    ]
    rows = [
        Recovery(
            stop_id=stop.id,
            client="Acme",
            zone="North",
            timezone="America/New_York",
            reason=REASON,
            words="dog",
            flow=Flow.ACCESS_CODE,
            failed_at=world.clock.now(),
            opened_at=world.clock.now() + timedelta(seconds=number),
            **({"preference": {}} | case),
        )
        for number, (stop, case) in enumerate(zip(stops, cases, strict=True))
    ]
    await keep(world, *rows)
    return rows


async def test_recoveries_are_listed_filtered_paged_and_read(bare_world: World) -> None:
    rows = await failures(bare_world)
    acme = await Program.of(bare_world)
    listed = (await acme.calls("GET", "/recoveries")).json()["recoveries"]
    assert [each["id"] for each in listed] == [str(row.id) for row in rows]
    asking, booked, writing = listed
    assert (asking["choice"], asking["window"], asking["tracking"]) == (None, None, "T1")
    assert booked["window"] == {"start_at": "2026-06-09T18:00:00Z", "end_at": "2026-06-09T20:00:00Z"}
    assert (booked["choice"], booked["second_stop_id"]) == ("reattempt", str(rows[1].reattempt_id))
    assert writing["window"]["start_at"] == "2026-06-11T18:00:00Z"
    assert not {"words", "preference", "detail", "place"} & set(writing)
    assert "shed" not in str(listed)

    for params, expected in (
        ({"state": "booked"}, [booked]),
        ({"order_ref": "po-3"}, [writing]),
        ({"reason": "refused"}, []),
        ({"from": "2026-06-09", "to": "2026-06-09"}, listed),
        ({"from": "2026-06-10"}, []),
    ):
        assert (await acme.calls("GET", "/recoveries", params=params)).json()["recoveries"] == expected, (
            params
        )

    page = (await acme.calls("GET", "/recoveries", params={"limit": "2"})).json()
    rest = await acme.calls("GET", "/recoveries", params={"limit": "2", "cursor": page["next_cursor"]})
    assert page["recoveries"] + rest.json()["recoveries"] == listed
    assert (await acme.calls("GET", f"/recoveries/{rows[1].id}")).json() == booked


async def test_a_day_in_figures_is_a_clients_own_and_an_operator_must_say_whose(bare_world: World) -> None:
    await failures(bare_world)
    await keep(bare_world, a_stop(20, late=-240), a_stop(21, client="Nova"))
    acme, operator = await Program.of(bare_world), await Program.of(bare_world, None)
    summary = (await acme.calls("GET", "/summary")).json()
    assert (summary["client"], summary["day"], summary["stops"]) == ("Acme", "2026-06-09", 5)
    assert (summary["delivered"], summary["failed"], summary["open"]) == (1, 3, 1)
    assert summary["failures"] == [{"reason": "access_issue", "stops": 3}]
    assert summary["follow_ups"]["booked"] == 1
    assert (await operator.calls("GET", "/summary", params={"client": "acme"})).json()["stops"] == 5
    for program, params, code in (
        (acme, {"day": "2026-06-10"}, "bad_period"),
        (acme, {"client": "Nova"}, "other_client"),
        (operator, {}, "client_missing"),
        (operator, {"client": "Zeta"}, "not_found"),
    ):
        assert (await program.calls("GET", "/summary", params=params)).json()["code"] == code


async def test_stops_are_found_by_tracking_and_by_when_they_changed(bare_world: World) -> None:
    await keep(bare_world, a_stop(1), a_stop(2, changed_at=bare_world.clock.now() - timedelta(days=1)))
    acme = await Program.of(bare_world)
    for params, found in (
        ({"tracking": "t2"}, ["T2"]),
        ({"changed_since": bare_world.clock.now().isoformat()}, ["T1"]),
        ({"tracking": "t2", "order_ref": "PO-1"}, []),
    ):
        answer = await acme.calls("GET", "/stops", params=params)
        assert [each["tracking"] for each in answer.json()["stops"]] == found
