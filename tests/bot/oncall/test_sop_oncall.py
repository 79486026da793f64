"""What sop.yml may say about who is on call, and how it is told what is wrong."""

import textwrap

import pytest

from bot.errors import ProtocolError
from bot.sop import parse_protocol
from bot.sop_oncall import Duty, gaps_of
from tests.bot.oncall.rotas import duty, weekly
from tests.harness.protocol import QUIET

PEOPLE = """
people:
  dana: {name: Dana Reyes, slack: U0DANA, phone: "+12125550101"}
  sam: {name: Sam, slack: U0SAM, email: sam@quickship.example}
"""


def protocol(on_call: str) -> str:
    return QUIET.read_text() + PEOPLE + textwrap.dedent(on_call)


def test_a_whole_section_is_read() -> None:
    read = parse_protocol(
        protocol(
            """
            on_call:
              operators: [sam]
              default: {rotation: {people: [dana, sam], every_days: 2, starts_on: 2026-06-01}}
              zones:
                North:
                  timezone: America/Chicago
                  layers:
                    - days: [monday, tuesday, wednesday, thursday, friday]
                      hours: {start: "08:00", end: "18:00"}
                      rotation:
                        people: [dana, sam]
                        every_weeks: 1
                        handover_on: monday
                        handover_at: "08:00"
                        starts_on: 2026-06-01
                    - calendar: https://calendar.example/secret.ics
                  overrides:
                    - {person: sam, start: 2026-06-12 18:00, end: 2026-06-14 08:00}
                  backups: [dana]
                South: {group: S0SOUTH}
            pauses: {longest_hours: 48}
            """
        ),
        "sop.yml",
    )
    assert read.on_call.duty_of("north") is read.on_call.zones["North"]
    assert read.on_call.duty_of("East") is read.on_call.default
    assert "secret" not in repr(read.on_call), "a feed's address may be a secret"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("operators: [kim]", "expected keys of `people` in `on_call`, found kim"),
        ("default: {rotation: {people: [kim], every_days: 1, starts_on: 2026-06-01}}", "found kim"),
        (
            "default: {rotation: {people: [sam], starts_on: 2026-06-01}}",
            "expected either every_days or every_weeks",
        ),
        (
            "default: {rotation: {people: [sam], every_weeks: 1, handover_on: monday, starts_on: 2026-06-02}}",
            "expected starts_on to be a monday, 2026-06-02 is a tuesday",
        ),
        (
            "default: {rotation: {people: [], every_days: 1, starts_on: 2026-06-01}}",
            "expected somebody in people",
        ),
        ("default: {layers: []}", "nobody is on call at any time"),
        ("default: {}", "expected one of rotation, calendar and group"),
        (
            "default: {group: S0N, calendar: 'https://a.example/b'}",
            "expected one of rotation, calendar and group",
        ),
        ("default: {calendar: 'ftp://a.example/b'}", "match pattern"),
        (
            "default: {layers: [{hours: {start: '08:00', end: '20:00'}, group: S0N}]}",
            "nobody is on call monday 20:00 to tuesday 08:00",
        ),
        (
            "default: {group: S0N, overrides: [{person: sam, start: 2026-06-01 08:00, end: 2026-06-01 12:00},"
            " {person: dana, start: 2026-06-01 11:00, end: 2026-06-01 13:00}]}",
            "expected overrides that do not overlap, found two at 2026-06-01 11:00:00",
        ),
        (
            "default: {group: S0N, overrides: [{person: sam, start: 2026-06-01 12:00, end: 2026-06-01 12:00}]}",
            "expected start before end",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(section: str, said: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(protocol(f"on_call:\n  {section}\n"), "sop.yml")
    (mistake,) = caught.value.mistakes
    assert said in mistake


@pytest.mark.parametrize(
    ("layers", "gaps"),
    [
        ([{}], []),
        ([{"hours": {"start": "08:00", "end": "08:00"}}], []),
        ([{"hours": {"start": "08:00", "end": "20:00"}}, {"hours": {"start": "20:00", "end": "08:00"}}], []),
        (
            [{"days": ["sunday"], "hours": {"start": "20:00", "end": "08:00"}}],
            ["monday 08:00 to sunday 20:00"],
        ),
        (
            [{"days": ["monday", "tuesday", "wednesday", "thursday", "friday"]}],
            ["saturday 00:00 to monday 00:00"],
        ),
    ],
)
def test_the_hours_that_nobody_has(layers: list[dict[str, object]], gaps: list[str]) -> None:
    rota: Duty = duty(layers=[layer | {"rotation": weekly("dana")} for layer in layers], allow_gaps=True)
    assert list(gaps_of(rota.layers)) == gaps
