"""What dispatchers type about maintenance windows and on call, and what they read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from connectors.desk import AnswerCode, CommandAnswer, CommandKind
from connectors.duty import DutyLine, DutyPerson
from connectors.escalation import Severity
from connectors.pauses import HitFate, PauseHitLine, PauseNotice, PauseReport, PauseWhat
from connectors.slack.desk_words import answer_text
from connectors.slack.pause_blocks import notice_blocks, notice_text, report_blocks
from connectors.slack.pause_words import REFUSALS
from connectors.slack.pausing import read_pause
from connectors.slack.slash import Commands, Says, read_slash

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
NOTHING = {"date": "", "start": "", "end": "", "minutes": ""}


@pytest.mark.parametrize(
    ("typed", "what", "name", "when", "why"),
    [
        ("zone North 2h", "zone", "North", {"minutes": "120"}, ""),
        (
            "zone North Side 90m roadworks, 5th Ave",
            "zone",
            "North Side",
            {"minutes": "90"},
            "roadworks, 5th Ave",
        ),
        ("route N1 1h30m", "route", "N1", {"minutes": "90"}, ""),
        ("Platform onfleet 45min", "platform", "onfleet", {"minutes": "45"}, ""),
        ("client Acme 1d", "client", "Acme", {"minutes": "1440"}, ""),
        ("client Acme 22:00-02:00", "client", "Acme", {"start": "22:00", "end": "02:00"}, ""),
        (
            "client Acme 2026-06-10 9:00-10:00 stock taking",
            "client",
            "Acme",
            {"date": "2026-06-10", "start": "09:00", "end": "10:00"},
            "stock taking",
        ),
        ("everything until 14:00", "everything", "", {"end": "14:00"}, ""),
        ("zone North until lifted storm", "zone", "North", {}, "storm"),
    ],
)
def test_what_is_to_be_paused(typed: str, what: str, name: str, when: dict[str, str], why: str) -> None:
    assert read_pause(typed.split()) == {"what": what, "name": name, **NOTHING, **when, "why": why}


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "zone North",
        "zone 2h",
        "North 2h",
        "everything North 2h",
        "zone North 0h",
        "zone North until",
        "zone North until then",
        "zone North 25:00-26:00",
        "zone North 2026-02-30",
        "zone North h",
    ],
)
def test_what_is_not_understood_is_explained(typed: str) -> None:
    meaning = read_slash(f"pause {typed}")
    assert isinstance(meaning, Says)
    assert "Nothing was paused" in meaning.text


@pytest.mark.parametrize(
    ("typed", "kind", "fields"),
    [
        ("who", CommandKind.WHO_IS_ON_CALL, {"zone": ""}),
        ("who North Side", CommandKind.WHO_IS_ON_CALL, {"zone": "North Side"}),
        ("pauses", CommandKind.SHOW_PAUSES, {}),
        ("resume 3", CommandKind.LIFT_PAUSE, {"number": "3"}),
        ("resume #3", CommandKind.LIFT_PAUSE, {"number": "3"}),
    ],
)
def test_the_other_commands(typed: str, kind: CommandKind, fields: dict[str, str]) -> None:
    assert read_slash(typed) == Commands(kind, fields)


def test_a_number_is_needed_to_resume() -> None:
    assert isinstance(read_slash("resume North"), Says)


# --- what they read ---------------------------------------------------------------------------------


def notice(**changes: Any) -> PauseNotice:
    values: dict[str, Any] = {
        "pause_id": "p",
        "number": 3,
        "what": PauseWhat.ZONE,
        "name": "North",
        "starts_at": NOON,
        "ends_at": NOON + timedelta(hours=2),
        "timezone": "America/New_York",
        "by": "U0DANA",
    }
    return PauseNotice(**values | changes)


def words(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(
        text["text"] for block in blocks for text in [block.get("text"), *block.get("elements", [])] if text
    )


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (notice(), "Paused until 2:00 pm: zone North"),
        (notice(ends_at=None), "Paused until somebody ends it: zone North"),
        (notice(ends_at=NOON + timedelta(days=1)), "Paused until Wed Jun 10, 12:00 pm: zone North"),
        (notice(what=PauseWhat.EVERYTHING, name=""), "Paused until 2:00 pm: everything"),
        (notice(is_reminder=True, ends_at=None), "Still paused until somebody ends it: zone North"),
        (notice(ended_at=NOON + timedelta(hours=1)), "Maintenance over: zone North"),
    ],
)
def test_a_notice(view: PauseNotice, said: str) -> None:
    assert notice_text(view, NOON) == said


def test_what_others_wrote_cannot_become_markup() -> None:
    view = notice(name="<!channel>", why="<@U0SAM> `code` & more")
    shown = words(notice_blocks(view, NOON))
    assert "<!channel>" not in shown
    assert "<@U0SAM>" not in shown
    assert "&lt;!channel&gt;" in shown


def line(fate: HitFate, **changes: Any) -> PauseHitLine:
    values: dict[str, Any] = {
        "severity": Severity.AT_RISK,
        "why": "ETA 4:25 pm",
        "first_seen_at": NOON,
        "where": "14 Elm St",
        "client": "Acme",
    }
    return PauseHitLine(fate=fate, **values | changes)


def test_every_fate_and_severity_has_its_words() -> None:
    lines = tuple(line(fate, severity=severity) for fate in HitFate for severity in Severity)
    counts = dict.fromkeys(HitFate, len(Severity))
    ended = notice(ended_at=NOON + timedelta(hours=2))
    shown = words(report_blocks(PauseReport(pause=ended, counts=counts, lines=lines, more=1200), NOON))
    assert f"Held back during maintenance of zone North: {len(lines)}" in shown
    assert "and 1,200 more" in shown
    assert shown.count("14 Elm St") == len(lines)


def test_long_lists_stay_within_slacks_limits() -> None:
    long = line(HitFate.STILL_TRUE, why="<&>" * 400, client="N" * 500)
    report = PauseReport(
        pause=notice(name="x" * 500, why="y" * 900, ended_at=NOON),
        counts={HitFate.STILL_TRUE: 40},
        lines=(long,) * 40,
    )
    blocks = report_blocks(report, NOON) + notice_blocks(report.pause, NOON)
    assert len(blocks) <= 50
    assert len(words(blocks)) < 13_000
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
        assert all(len(text) <= 3000 for text in words([block]).splitlines())


def test_every_refusal_is_a_sentence() -> None:
    for code in REFUSALS:
        answer = CommandAnswer(code=AnswerCode.PAUSE_REFUSED, reasons=(code,), detail="zone <Nowhere>")
        told = answer_text(answer, NOON)
        assert told.endswith(".")
        assert "{" not in told
        assert "<Nowhere>" not in told


DANA, SAM = DutyPerson(name="Dana", slack="U0DANA", has_phone=True), DutyPerson(name="Sam", slack="U0SAM")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"line": (DANA, SAM)}, "*North:* Dana · if there is no answer: Sam (no phone)"),
        (
            {"line": (SAM,), "source": "override", "until": NOON + timedelta(hours=1), "next": DANA},
            "*North:* Sam (no phone) (stands in) until 1:00 pm, then Dana",
        ),
        ({"line": (DANA,), "until": NOON + timedelta(hours=1)}, "*North:* Dana until 1:00 pm, then nobody"),
        (
            {"line": (), "source": "nobody", "until": NOON + timedelta(hours=1), "next": DANA},
            "*North:* :warning: nobody is on call until 1:00 pm, then Dana",
        ),
        (
            {"line": (), "source": "nobody", "strangers": ("Kim <!here>",)},
            "*North:* :warning: nobody is on call"
            " · :warning: the calendar names Kim &lt;!here&gt;, whom sop.yml does not know",
        ),
        (
            {"line": (DANA,), "source": "calendar", "stale": True, "stale_for": timedelta(hours=3)},
            "*North:* Dana (by the calendar) · :warning: as it stood 3 h ago, it cannot be read now",
        ),
    ],
)
def test_who_is_on_call(changes: dict[str, Any], told: str) -> None:
    duty = DutyLine(**{"zone": "North", "timezone": "America/New_York", "source": "rotation"} | changes)
    assert answer_text(CommandAnswer(code=AnswerCode.ON_CALL, duties=(duty,)), NOON) == told
