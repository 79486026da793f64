"""Pure: Onfleet's words and times as ours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.base import FailureReason, StopStatus
from connectors.errors import UnreadablePayloadError
from connectors.onfleet.mapping import (
    Account,
    Surroundings,
    failure_note,
    failure_reason,
    is_under_way,
    remaining_order,
    sequence_of,
    to_stop,
    window_of,
)
from connectors.onfleet.payloads import CompletionDetails, Task, Worker, from_ms, to_ms
from connectors.phones import to_e164

NEW_YORK = Account("America/New_York")
NOON = datetime(2026, 6, 8, 16, 0, tzinfo=UTC)


def task(**fields: object) -> Task:
    return Task.model_validate({"id": "t1", "shortId": "ab12", "state": 1, "worker": "w1"} | fields)


def worker(**fields: object) -> Worker:
    return Worker.model_validate({"id": "w1", "onDuty": True, "tasks": ["t0", "t1"]} | fields)


def completed(success: bool | None, **details: object) -> dict[str, object]:
    return {"success": success, "time": to_ms(NOON), **details}


@pytest.mark.parametrize(
    ("fields", "under_way", "expected"),
    [
        ({"state": 0, "worker": None}, False, StopStatus.PLANNED),
        ({"state": 1}, False, StopStatus.ASSIGNED),
        ({"state": 1}, True, StopStatus.OUT_FOR_DELIVERY),
        ({"state": 2}, True, StopStatus.OUT_FOR_DELIVERY),
        (
            {"state": 2, "completionDetails": {"events": [{"name": "arrival", "time": to_ms(NOON)}]}},
            True,
            StopStatus.ARRIVING,
        ),
        ({"state": 3, "completionDetails": completed(True)}, False, StopStatus.DELIVERED),
        ({"state": 3, "completionDetails": completed(False)}, False, StopStatus.FAILED),
        ({"state": None, "completionDetails": completed(False)}, False, StopStatus.FAILED),
        ({"state": None, "worker": None}, False, StopStatus.PLANNED),
    ],
)
def test_a_state_is_told_as_a_recipient_would_call_it(
    fields: dict[str, object], under_way: bool, expected: StopStatus
) -> None:
    around = Surroundings(worker=worker(), under_way=under_way)
    assert to_stop(task(**fields), NEW_YORK, NOON, around).status is expected


def test_a_stop_moved_to_tomorrow_is_not_on_the_van_although_its_driver_is_out() -> None:
    opens = NOON + timedelta(days=1)
    moved = task(completeAfter=to_ms(opens), completeBefore=to_ms(opens + timedelta(hours=2)))
    stop = to_stop(moved, NEW_YORK, NOON, Surroundings(worker=worker(), under_way=True))
    assert stop.status is StopStatus.ASSIGNED


@pytest.mark.parametrize(
    ("fields", "finished", "expected"),
    [
        ({"onDuty": True, "activeTask": "t0"}, set(), True),
        ({"onDuty": True, "activeTask": None}, {"w1"}, True),
        ({"onDuty": True, "activeTask": None}, {"w2"}, False),
        ({"onDuty": False, "activeTask": None}, {"w1"}, False),
        ({"onDuty": None, "activeTask": "t0"}, set(), False),
    ],
)
def test_a_driver_is_under_way_when_on_duty_and_on_a_stop_or_done_with_one_today(
    fields: dict[str, object], finished: set[str], expected: bool
) -> None:
    assert is_under_way(worker(**fields), finished) is expected


def test_an_undocumented_state_is_refused_with_its_number() -> None:
    with pytest.raises(UnreadablePayloadError, match="7"):
        to_stop(task(state=7), NEW_YORK, NOON)


@pytest.mark.parametrize(
    ("active", "tasks", "order"),
    [(None, ["t0", "t1"], ("t0", "t1")), ("t1", ["t0", "t1"], ("t1", "t0")), ("t9", ["t1"], ("t9", "t1"))],
)
def test_the_active_task_comes_first_whether_or_not_onfleet_lists_it(
    active: str | None, tasks: list[str], order: tuple[str, ...]
) -> None:
    assert remaining_order(worker(activeTask=active, tasks=tasks)) == order


def test_a_stop_counts_how_many_come_before_it() -> None:
    assert sequence_of(task(), StopStatus.OUT_FOR_DELIVERY, worker(activeTask="t9")) == 2
    assert sequence_of(task(state=2), StopStatus.OUT_FOR_DELIVERY, None) == 0
    assert sequence_of(task(state=3), StopStatus.DELIVERED, worker()) is None
    assert sequence_of(task(id="t7"), StopStatus.ASSIGNED, worker()) is None


@pytest.mark.parametrize(
    ("after", "before", "start", "end"),
    [
        (None, "2026-06-08T14:00", "2026-06-08T08:00", "2026-06-08T14:00"),
        (None, "2026-06-08T07:00", "2026-06-08T00:00", "2026-06-08T07:00"),
        (None, "2026-06-09T00:00", "2026-06-08T08:00", "2026-06-09T00:00"),
        ("2026-06-08T17:00", None, "2026-06-08T17:00", "2026-06-08T21:00"),
        ("2026-06-08T21:00", None, "2026-06-08T21:00", "2026-06-09T00:00"),
        ("2026-06-08T10:00", "2026-06-08T12:00", "2026-06-08T10:00", "2026-06-08T12:00"),
    ],
)
def test_an_open_side_of_a_window_is_closed_by_the_service_day(
    after: str | None, before: str | None, start: str, end: str
) -> None:
    held = window_of(task(completeAfter=_ms(after), completeBefore=_ms(before)), NEW_YORK)
    assert held is not None
    assert (held.start_at, held.end_at) == (_local(start), _local(end))


@pytest.mark.parametrize(
    "pair", [("2026-06-08T12:00", "2026-06-08T12:00"), ("2026-06-08T12:00", "2026-06-08T10:00")]
)
def test_a_reversed_window_is_no_promise(pair: tuple[str, str]) -> None:
    assert window_of(task(completeAfter=_ms(pair[0]), completeBefore=_ms(pair[1])), NEW_YORK) is None


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))


def _ms(text: str | None) -> int | None:
    return to_ms(_local(text)) if text else None


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_milliseconds_survive_the_way_in_and_out(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


ZONES = ("America/New_York", "America/Los_Angeles", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kathmandu")
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
SPRING_NIGHT = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)
AUTUMN_NIGHT = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@given(
    st.integers(0, 8 * 366 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds)),
    st.sampled_from(ZONES),
    st.booleans(),
)
@example(SPRING_NIGHT, "America/New_York", True)
@example(SPRING_NIGHT, "America/New_York", False)
@example(AUTUMN_NIGHT, "America/New_York", True)
@example(AUTUMN_NIGHT, "America/New_York", False)
def test_a_one_sided_window_holds_its_side_and_stays_on_one_local_day(
    instant: datetime, zone: str, opens: bool
) -> None:
    account = Account(zone)
    instant = from_ms(to_ms(instant))
    side = {"completeAfter": to_ms(instant)} if opens else {"completeBefore": to_ms(instant)}
    held = window_of(task(**side), account)
    assert held is not None
    assert (held.start_at if opens else held.end_at) == instant
    moment = timedelta(milliseconds=1)
    first, last = account.local_date(held.start_at), account.local_date(held.end_at - moment)
    assert first == last
    given_day = account.local_date(instant if opens else instant - moment)
    assert first == given_day
    own_side = (held.end_at if opens else held.start_at).astimezone(account.zone_info)
    assert own_side.time() in {time(0), time(8), time(21)}


@pytest.mark.parametrize(
    ("reason", "notes", "expected"),
    [
        ("Recipient unavailable", "", FailureReason.RECIPIENT_UNAVAILABLE),
        ("RECIPIENT_UNAVAILABLE", "", FailureReason.RECIPIENT_UNAVAILABLE),
        ("NONE", "gate was locked", FailureReason.ACCESS_ISSUE),
        ("Other", "the box is crushed", FailureReason.DAMAGED),
        ("Dog", "", FailureReason.ACCESS_ISSUE),
        ("NONE", "", FailureReason.OTHER),
        ("Xyzzy", "qwerty", FailureReason.OTHER),
    ],
)
def test_a_failure_reason_is_read_from_the_accounts_table_then_ours_then_its_words(
    reason: str, notes: str, expected: FailureReason
) -> None:
    account = Account("UTC", failure_reasons={"dog": FailureReason.ACCESS_ISSUE})
    details = CompletionDetails(failure_reason=reason, failure_notes=notes)
    assert failure_reason(details, account) is expected


def test_the_accounts_own_table_wins() -> None:
    account = Account("UTC", failure_reasons={"Damaged": FailureReason.DEPOT})
    assert failure_reason(CompletionDetails(failure_reason="damaged"), account) is FailureReason.DEPOT


def test_the_drivers_words_are_kept() -> None:
    words = CompletionDetails(failure_reason="No access", failure_notes="gate locked")
    assert failure_note(words) == "No access: gate locked"
    assert (
        failure_note(CompletionDetails(failure_reason="NONE", failure_notes="gate locked")) == "gate locked"
    )


def test_a_delivered_stop_carries_no_failure() -> None:
    stop = to_stop(task(state=3, completionDetails=completed(True, failureReason="NONE")), NEW_YORK, NOON)
    assert (stop.failure_reason, stop.failure_note, stop.completed_at) == (None, "", NOON)


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("+1 (203) 555-0101", "+12035550101"),
        ("2035550101", None),
        ("", None),
        ("+1", None),
        ("+34612345678", "+34612345678"),
    ],
)
def test_a_phone_is_e164_or_absent(phone: str, expected: str | None) -> None:
    assert to_e164(phone) == expected


@pytest.mark.parametrize(("value", "expected"), [("A-332", "A-332"), (332, "332"), (" ", None), (None, None)])
def test_the_clients_own_number_comes_from_metadata(value: object, expected: str | None) -> None:
    entry = {"name": "orderNo", "type": "string", "value": value}
    assert to_stop(task(metadata=[entry]), NEW_YORK, NOON).order_ref == expected


def test_client_and_zone_come_from_metadata_else_from_merchant_and_team() -> None:
    around = Surroundings(worker=worker(teams=["team1"]), names={"team1": "North", "org1": "QuickShip"})
    named = task(
        metadata=[{"name": "client", "value": "Acme"}, {"name": "zone", "value": "South"}], merchant="org1"
    )
    plain = task(merchant="org1")
    assert [
        (s.client, s.zone) for s in (to_stop(item, NEW_YORK, NOON, around) for item in (named, plain))
    ] == [
        ("Acme", "South"),
        ("QuickShip", "North"),
    ]


@pytest.mark.parametrize(
    ("skips", "skips_this_time", "expected"),
    [
        (False, None, True),
        (True, None, False),
        (True, False, True),  # the task's own setting wins, either way
        (False, True, False),
    ],
)
def test_whether_onfleet_may_text_the_recipient_is_the_tasks_word_then_theirs(
    skips: bool, skips_this_time: bool | None, expected: bool
) -> None:
    recipient = {"id": "r1", "name": "Robin", "phone": "+12125550100", "skipSMSNotifications": skips}
    overrides = {"recipientSkipSMSNotifications": skips_this_time}
    stop = to_stop(task(recipients=[recipient], overrides=overrides), NEW_YORK, NOON)
    assert stop.is_texted_by_platform is expected


@pytest.mark.parametrize("recipients", [[], [{"id": "r1", "name": "Robin", "phone": ""}]])
def test_onfleet_texts_nobody_without_a_phone(recipients: list[dict[str, str]]) -> None:
    assert to_stop(task(recipients=recipients), NEW_YORK, NOON).is_texted_by_platform is False
