"""Why it failed, who decides, when each rung comes: tables of cases, and what holds for any ladder."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.recovery import rules
from bot.recovery.models import ReasonSource, RecoveryState, RecoveryStep, Why
from bot.recovery.ports import DriverSaid
from bot.recovery.rules import Failure, classify, held_up, plan_for, waits_until
from bot.sop import QuietHours
from bot.sop_recovery import LADDER, ClientRecovery, Ending, Flow, Recovery, RungKind
from connectors.base import FailureReason

R = FailureReason
NEW_YORK = "America/New_York"
NOON = datetime(2026, 6, 9, 16, tzinfo=UTC)
SOP = Recovery(
    enabled=True,
    flows={R.WEATHER: Flow.DISPATCHER},
    clients={
        "Nova": ClientRecovery(attempts=1),
        "Globex": ClientRecovery(flows={R.REFUSED: Flow.DISPATCHER}, ending=Ending.SEND_BACK),
    },
)
END = tuple(rung for rung in LADDER if rung.kind is RungKind.DEFAULT)


# --- why it failed ------------------------------------------------------------------------------

WORDS = {"gate locked": R.ACCESS_ISSUE, "gate locked by police": R.OTHER, "NH": R.RECIPIENT_UNAVAILABLE}


@pytest.mark.parametrize(
    ("reason", "note", "said", "found"),
    [
        (None, "", None, (R.OTHER, ReasonSource.PLATFORM)),
        (R.REFUSED, "", None, (R.REFUSED, ReasonSource.PLATFORM)),
        (R.OTHER, "Gate  LOCKED, left", None, (R.ACCESS_ISSUE, ReasonSource.PLATFORM)),
        (R.REFUSED, "nh", None, (R.RECIPIENT_UNAVAILABLE, ReasonSource.PLATFORM)),
        (R.REFUSED, "inhouse", None, (R.REFUSED, ReasonSource.PLATFORM)),
        (R.REFUSED, "gate locked by police", None, (R.OTHER, ReasonSource.PLATFORM)),
        (R.REFUSED, "", DriverSaid(R.DAMAGED, NOON, "box wet"), (R.DAMAGED, ReasonSource.DRIVER)),
        (R.OTHER, "gate locked", DriverSaid(R.WEATHER, NOON), (R.WEATHER, ReasonSource.DRIVER)),
        (R.REFUSED, "", DriverSaid(R.OTHER, NOON, "cant do it"), (R.REFUSED, ReasonSource.PLATFORM)),
        (None, "", DriverSaid(R.OTHER, NOON, "cant do it"), (R.OTHER, ReasonSource.PLATFORM)),
    ],
)
def test_the_drivers_text_counts_first_then_the_accounts_words_then_the_platforms_reason(
    reason: R | None, note: str, said: DriverSaid | None, found: tuple[R, ReasonSource]
) -> None:
    classified = classify(reason, note, WORDS, said)
    assert (classified.reason, classified.source) == found


def test_what_driver_and_platform_said_is_kept_together() -> None:
    assert classify(R.OTHER, "no", {}, DriverSaid(R.OTHER, NOON, "dog in yard")).words == "no dog in yard"


# --- who decides --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "flow", "why", "rungs"),
    [
        (Failure(R.ACCESS_ISSUE, "Acme", 1, True), Flow.ACCESS_CODE, None, LADDER),
        (Failure(R.RECIPIENT_UNAVAILABLE, "Acme", 2, True), Flow.WINDOWS, None, LADDER),
        (Failure(R.ADDRESS_ISSUE, "Acme", 1, True), Flow.ADDRESS, None, LADDER),
        (Failure(R.REFUSED, "Acme", 1, True), Flow.ALTERNATIVES, None, LADDER),
        (Failure(R.VEHICLE, "Acme", 1, True), Flow.WINDOWS, None, LADDER),
        (Failure(R.TRAFFIC, "Acme", 1, True), Flow.WINDOWS, None, LADDER),
        (Failure(R.DRIVER_DELAY, "Acme", 1, True), Flow.WINDOWS, None, LADDER),
        (Failure(R.DEPOT, "Acme", 1, True), Flow.WINDOWS, None, LADDER),
        (Failure(R.DAMAGED, "Acme", 1, True), Flow.DISPATCHER, Why.BY_RULE, ()),
        (Failure(R.OTHER, "Acme", 1, True), Flow.DISPATCHER, Why.UNKNOWN_REASON, END),
        # The operator's own rules, and a client's.
        (Failure(R.WEATHER, "Acme", 1, True), Flow.DISPATCHER, Why.BY_RULE, ()),
        (Failure(R.REFUSED, "Globex", 1, True), Flow.DISPATCHER, Why.BY_RULE, ()),
        (Failure(R.REFUSED, "Nova", 1, True), Flow.DISPATCHER, Why.ATTEMPTS, ()),
        # Tried often enough: whatever the reason, and whether it is known.
        (Failure(R.ACCESS_ISSUE, "Acme", 3, True), Flow.DISPATCHER, Why.ATTEMPTS, ()),
        (Failure(R.OTHER, "Acme", 4, True), Flow.DISPATCHER, Why.ATTEMPTS, ()),
        # Nobody can be asked, and the parcel comes again all the same.
        (Failure(R.ACCESS_ISSUE, "Acme", 1, False), Flow.ACCESS_CODE, Why.NOBODY_TO_ASK, END),
        (Failure(R.DAMAGED, "Acme", 1, False), Flow.DISPATCHER, Why.BY_RULE, ()),
    ],
)
def test_each_reason_and_each_clients_rule(
    failure: Failure, flow: Flow, why: Why | None, rungs: object
) -> None:
    plan = plan_for(failure, SOP)
    state = RecoveryState.ASKING if why is None else RecoveryState.WITH_DISPATCHER
    assert (plan.flow, plan.why, plan.rungs, plan.state) == (flow, why, rungs, state)


def test_every_reason_has_a_flow() -> None:
    assert {Recovery().flow_for(reason, "") for reason in R} <= set(Flow)


def test_a_clients_own_ending_and_attempts() -> None:
    assert rules.ending_of(SOP, "Globex") is Ending.SEND_BACK
    assert rules.ending_of(SOP, "Acme") is Ending.NEXT_DAY
    assert (rules.attempts_of(SOP, "Nova"), rules.attempts_of(SOP, "")) == (1, 3)
    own = Recovery(clients={"Acme": ClientRecovery(alternatives=frozenset())})
    assert rules.alternatives_of(own, "Acme") == frozenset()


# --- when ---------------------------------------------------------------------------------------


def local(text: str, day: int = 9) -> datetime:
    hour, minute = (int(part) for part in text.split(":"))
    return datetime(2026, 6, day, hour, minute, tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)


@pytest.mark.parametrize(
    ("kind", "failed", "now", "until"),
    [
        (RungKind.ASK, local("20:30"), local("20:31"), None),
        # About a delivery of this very day the shorter hours count.
        (RungKind.ASK, local("20:30"), local("21:30"), None),
        (RungKind.ASK, local("20:30"), local("22:00"), local("8:00", 10)),
        (RungKind.REMIND, local("20:30"), local("0:30", 10), local("8:00", 10)),
        (RungKind.SECOND_CHANNEL, local("20:30"), local("7:59", 10), local("8:00", 10)),
        (RungKind.SECOND_CHANNEL, local("20:30"), local("8:00", 10), None),
        # Nobody is woken by what a dispatcher hears, or by what no one hears.
        (RungKind.DISPATCHER, local("20:30"), local("4:30", 10), None),
        (RungKind.DEFAULT, local("3:00"), local("3:00", 10), None),
    ],
)
def test_nobody_is_written_to_in_the_quiet_hours(
    kind: RungKind, failed: datetime, now: datetime, until: datetime | None
) -> None:
    assert waits_until(kind, failed, NEW_YORK, QuietHours(), now) == until


def steps(gaps: list[int]) -> list[RecoveryStep]:
    due, made = NOON, []
    for position, gap in enumerate(gaps):
        due += timedelta(minutes=gap)
        kind = list(RungKind)[position]
        made.append(RecoveryStep(id=uuid4(), recovery_id=uuid4(), position=position, kind=kind, due_at=due))
    return made


MOMENTS = st.integers(0, 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
ZONES = st.sampled_from([NEW_YORK, "America/Los_Angeles", "Europe/Madrid", "Asia/Kolkata", "UTC"])


@given(failed=MOMENTS, after=st.integers(0, 3000), timezone=ZONES, kind=st.sampled_from(sorted(rules.WRITES)))
def test_whatever_the_hour_what_is_put_off_comes_when_it_may(
    failed: datetime, after: int, timezone: str, kind: RungKind
) -> None:
    now = failed + timedelta(minutes=after)
    until = waits_until(kind, failed, timezone, QuietHours(), now)
    if until is None:
        assert 7 <= now.astimezone(ZoneInfo(timezone)).hour < 22
    else:
        assert now < until <= now + timedelta(hours=14)
        assert waits_until(kind, failed, timezone, QuietHours(), until) is None


@given(
    gaps=st.lists(st.integers(0, 600), min_size=2, max_size=5),
    first=st.integers(0, 4),
    by=st.integers(1, 900),
    fired=st.integers(0, 4),
)
def test_what_follows_a_held_up_rung_keeps_its_order_and_its_distance(
    gaps: list[int], first: int, by: int, fired: int
) -> None:
    ladder = steps(gaps)
    first = min(first, len(ladder) - 1)
    before = [step.due_at for step in ladder]
    if fired < len(ladder) and fired != first:
        ladder[fired].fired_at = NOON
    ladder[first].due_at += timedelta(minutes=by)
    rules.follow(ladder[first + 1 :], timedelta(minutes=by))
    pending = [step for step in ladder[first:] if step.fired_at is None]
    assert [step.due_at for step in pending] == sorted(step.due_at for step in pending)
    for step, was in zip(ladder, before, strict=True):
        moved = step.position >= first and step.fired_at is None
        assert step.due_at - was == (timedelta(minutes=by) if moved else timedelta(0))


@pytest.mark.parametrize(
    ("kind", "late", "held"),
    [
        (RungKind.ASK, 0, 0),
        (RungKind.ASK, 2, 0),
        (RungKind.ASK, 3, 3),
        (RungKind.SECOND_CHANNEL, 600, 600),
        (RungKind.DISPATCHER, 600, 0),
        (RungKind.DEFAULT, 600, 0),
    ],
)
def test_only_what_writes_holds_up_what_follows(kind: RungKind, late: int, held: int) -> None:
    step = RecoveryStep(recovery_id=uuid4(), position=0, kind=kind, due_at=NOON)
    assert held_up(step, NOON + timedelta(minutes=late)) == timedelta(minutes=held)
