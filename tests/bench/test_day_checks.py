"""The checks over a pretended day's records: each must find what it is for, and nothing on a good day."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bench.day_checks import Records, StopSeen, Text, findings

ZONE = ZoneInfo("America/New_York")
PHONE = "+12125550100"
NOON = datetime(2026, 6, 9, 12, 0, tzinfo=ZONE)


def at(clock: str, day: int = 9) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, 6, day, hour, minute, tzinfo=ZONE)


def told(
    kind: str, clock: str, body: str = "", eta: str | None = None, day: int = 9, stop: str = "S-1"
) -> Text:
    words = body or f"{kind} {clock}"
    return Text(at(clock, day), PHONE, words, True, kind, stop, at(eta, day) if eta else None)


def wrote(clock: str, body: str = "where is it") -> Text:
    return Text(at(clock), PHONE, body, False)


def answered(clock: str, body: str = "On the van.") -> Text:
    return Text(at(clock), PHONE, body, True)


def found(
    *texts: Text,
    delivered: str | None = None,
    failed: str | None = None,
    opted_out: str | None = None,
) -> list[str]:
    stop = StopSeen(
        "S-1",
        PHONE,
        "America/New_York",
        NOON,
        at(delivered) if delivered else None,
        at(failed) if failed else None,
    )
    left = {PHONE: at(opted_out)} if opted_out else {}
    return [finding.check for finding in findings(Records(texts, {"S-1": stop}, left))]


def test_a_good_day_has_no_findings() -> None:
    assert not found(
        told("out_for_delivery", "08:10"),
        wrote("09:00"),
        answered("09:00"),
        told("running_late", "10:00", eta="15:00"),
        told("running_late", "11:00", eta="15:40"),
        told("back_on_time", "12:00"),
        told("approaching", "13:00"),
        told("delivered", "14:01"),
        delivered="14:00",
    )


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((told("a", "10:00", "same"), told("a", "11:00", "same")), ["twice"]),
        ((answered("10:00", "same"), answered("10:01", "same")), ["twice"]),
        ((answered("10:00", "same"), wrote("10:02"), answered("10:02", "same")), []),
        ((told("approaching", "10:00"), told("approaching", "11:00")), ["twice"]),
        ((told("approaching", "10:00"), told("approaching", "11:00", stop="S-2")), []),
        ((told("a", "10:00", "same"), told("a", "10:01", "same", day=10)), []),
    ],
)
def test_nothing_is_said_twice(texts: tuple[Text, ...], expected: list[str]) -> None:
    assert found(*texts) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((told("follow_up", "22:00"),), ["out_of_hours"]),
        ((told("follow_up", "21:59"),), []),
        ((told("follow_up", "06:59"),), ["out_of_hours"]),
        ((told("follow_up", "07:00"),), []),
        ((told("follow_up", "21:00", day=10),), ["out_of_hours"]),
        ((told("follow_up", "20:59", day=10),), []),
        ((told("follow_up", "07:59", day=10),), ["out_of_hours"]),
        ((wrote("23:00"), told("follow_up", "23:01")), []),
        ((wrote("23:00"), told("follow_up", "23:31")), ["out_of_hours"]),
        ((answered("23:00"),), []),
    ],
)
def test_nobody_is_written_to_at_night(texts: tuple[Text, ...], expected: list[str]) -> None:
    assert found(*texts) == expected


@pytest.mark.parametrize(
    ("texts", "ended", "expected"),
    [
        ((told("delivered", "10:00"),), {"delivered": "10:30"}, 1),
        ((told("delivered", "10:00"),), {}, 1),
        ((told("failed", "10:00"),), {"delivered": "09:00"}, 1),
        ((told("approaching", "10:07"),), {"delivered": "10:00"}, 1),
        ((told("approaching", "10:05"),), {"delivered": "10:00"}, 0),
        ((told("running_late", "10:07", eta="11:00"),), {"failed": "10:00"}, 1),
        ((told("approaching", "10:00"), told("out_for_delivery", "10:30")), {}, 1),
        ((told("running_late", "10:00", eta="12:00"), told("out_for_delivery", "10:30")), {}, 1),
        ((told("failed", "10:01"), told("approaching", "10:02")), {"failed": "10:00"}, 1),
        ((told("back_on_time", "10:00"),), {}, 1),
        (
            (
                told("running_late", "9:00", eta="12:00"),
                told("back_on_time", "9:30"),
                told("back_on_time", "10:00"),
            ),
            {},
            1,
        ),
        ((told("running_late", "9:00", eta="12:00"), told("running_late", "9:30", eta="12:05")), {}, 1),
        ((told("running_late", "9:00", eta="12:00"), told("running_late", "9:30", eta="12:40")), {}, 0),
    ],
)
def test_no_text_contradicts_the_platform_or_an_earlier_text(
    texts: tuple[Text, ...], ended: dict[str, str], expected: int
) -> None:
    assert found(*texts, **ended) == ["contradicting"] * expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((answered("10:01", "No more texts."),), 0),
        ((answered("10:01", "No more texts."), answered("10:02", "One more.")), 1),
        ((told("approaching", "10:01"),), 1),
        ((answered("11:00", "A late confirmation."),), 1),
        ((told("approaching", "09:59"),), 0),
    ],
)
def test_who_opted_out_gets_one_confirmation_and_nothing_else(texts: tuple[Text, ...], expected: int) -> None:
    assert found(*texts, opted_out="10:00") == ["after_opt_out"] * expected


def test_what_did_not_arrive_may_be_said_again() -> None:
    first, again = told("approaching", "10:00", "same"), told("approaching", "10:10", "same")
    assert found(replace(first, arrived=False), again) == []
    assert found(first, replace(again, arrived=False)) == ["twice"]


def test_an_answer_that_came_late_is_no_unasked_text() -> None:
    question, answer = wrote("20:50"), answered("22:30")
    assert not found(question, answer)
    assert answer.at - question.at > timedelta(hours=1)
