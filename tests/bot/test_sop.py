"""The operator's protocol: a mistake names line, key and what was expected; a bad file never replaces a good one."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app, main
from bot.errors import ProtocolError
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce, load_protocol, parse_protocol
from bot.sop_parts import Weekday

SHIPPED = (PROJECT_ROOT / "bot" / "sop.yml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    assert SHIPPED.count(old) == 1, f"{old!r} does not stand exactly once in bot/sop.yml"
    return SHIPPED.replace(old, new)


def line_of(content: str, words: str) -> int:
    return next(n for n, line in enumerate(content.splitlines(), 1) if words in line)


def mistakes_in(content: str) -> list[str]:
    with pytest.raises(ProtocolError) as refused:
        parse_protocol(content, "sop.yml")
    return refused.value.mistakes


def test_the_shipped_protocol_is_good() -> None:
    protocol = parse_protocol(SHIPPED, "sop.yml")
    assert protocol.operator.name == "QuickShip"
    assert protocol.redelivery.closed_weekdays == {Weekday.SUNDAY}


@pytest.mark.parametrize(
    ("old", "new", "at", "key", "expected"),
    [
        ("name: QuickShip", "name: ''", "name: ''", "operator.name", "expected at least 1 character"),
        ("  timezone: America/New_York", "  timezone: New York", "timezone: New York", "operator.timezone",
         "expected an IANA time zone such as America/New_York, found 'New York'"),
        ("  timezone: America/New_York", "  timezone: 5", "timezone: 5", "operator.timezone", "expected a valid string"),
        ('  start: "08:00"', '  start: "8 o\'clock"', "8 o'clock", "service_day.start", "expected"),
        ('  end: "21:00"', '  end: "07:00"', "service_day:", "service_day", "expected start before end, got 08:00 .. 07:00"),
        ('    - {start: "12:00", end: "17:00"}', '    - {start: "12:00", end: "12:00"}', '"12:00", end: "12:00"',
         "redelivery.windows.1", "expected start before end"),
        ("  days_ahead: 7", "  days_ahead: 0", "days_ahead: 0", "redelivery.days_ahead", "expected greater than or equal to 1, found 0"),
        ("  offers: 3 ", "  offers: many ", "offers: many", "redelivery.offers", "expected a valid integer"),
        ("[sunday]", "[someday]", "[someday]", "redelivery.closed_weekdays.0", "expected 'monday', 'tuesday'"),
        ("  stale_after_minutes: 15", "  stale_after_minutes: -1", "stale_after_minutes: -1", "conversation.stale_after_minutes",
         "expected greater than or equal to 0, found -1"),
        ("  poll_seconds: 30 ", "  poll_second: 30 ", "platforms:", "platforms.poll_seconds", "expected this key, found nothing"),
        ("    confirm_minutes: 3 ", "    confirm_minutes: 3.5 ", "confirm_minutes: 3.5", "sla.defaults.confirm_minutes",
         "expected a valid integer"),
        ("    on_time_target_percent: 97", "    on_time_target_percent: 101", "percent: 101", "sla.defaults.on_time_target_percent",
         "expected less than or equal to 100, found 101"),
        ("      penalty_usd: 120", "      penalty_usd: -120", "penalty_usd: -120", "sla.clients.Nova.penalty_usd",
         "expected greater than or equal to 0, found -120"),
        ('    default: "#dispatch"', '    north: "#dispatch"', "escalations:", "escalations", "expected a channel named `default`"),
        ("{kind: post, after_minutes: 0}", "{kind: mention, after_minutes: 0}", "escalations:", "escalations",
         "expected the first tier to be of kind `post`"),
        ("{kind: mention, after_minutes: 10}", "{kind: shout, after_minutes: 10}", "kind: shout", "escalations.tiers.1.kind",
         "expected 'post', 'mention', 'sms' or 'call'"),
        ("{kind: post, after_minutes: 0}", "{kind: post, after_minutes: 20}", "escalations:", "escalations",
         "expected tiers in the order of their after_minutes"),
        ("recipient_unavailable, ", "recipient_asleep, ", "root_causes:", "root_causes.3", "expected 'driver_delay'"),
    ],
)  # fmt: skip
def test_a_mistake_names_line_key_and_what_was_expected(
    old: str, new: str, at: str, key: str, expected: str
) -> None:
    content = changed(old, new)
    prefix = f"sop.yml:{line_of(content, at)}: {key}: "
    found = [mistake for mistake in mistakes_in(content) if mistake.startswith(prefix)]
    assert len(found) == 1, mistakes_in(content)
    assert expected in found[0]


def test_an_unknown_key_is_named_with_its_own_line() -> None:
    content = changed("  poll_seconds: 30", "  pol_seconds: 30")
    wanted = f"sop.yml:{line_of(content, 'pol_seconds')}: platforms.pol_seconds: unknown key"
    assert any(mistake.startswith(wanted) for mistake in mistakes_in(content))


def test_all_mistakes_are_told_at_once() -> None:
    content = changed("  days_ahead: 7", "  days_ahead: 0").replace("percent: 97", "percent: 0")
    assert len(mistakes_in(content)) == 2


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("", 1, "expected keys such as"),
        ("# only a comment\n", 1, "expected keys such as"),
        ("- a\n- list\n", 1, "expected keys such as"),
        ("operator: {name: [\n", 2, "not YAML"),
        ("operator:\n\tname: x\n", 2, "not YAML"),
        ("operator:\n  name: a\n  name: b\n", 3, "not YAML"),
        ("operator: \x01\n", 1, "not YAML"),
    ],
)
def test_what_is_no_protocol_at_all_is_told_with_its_line(content: str, line: int, words: str) -> None:
    (mistake,) = mistakes_in(content)
    assert mistake.startswith(f"sop.yml:{line}: ")
    assert words in mistake


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol(tmp_path / "nowhere.yml")
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol(binary)


def test_a_clients_own_rules_replace_single_defaults() -> None:
    sla = parse_protocol(SHIPPED, "sop.yml").sla
    assert sla.rules_for("Nova").penalty_usd == 120
    assert sla.rules_for("Nova").confirm_minutes == sla.defaults.confirm_minutes
    assert sla.rules_for("nobody we know") == sla.defaults


# --- in force -------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "sop.yml"
    file.write_text(SHIPPED)
    return file


def rewrite(file: Path, content: str) -> None:
    before = file.stat().st_mtime_ns
    file.write_text(content)
    os.utime(file, ns=(before + 1_000_000, before + 1_000_000))


def test_a_changed_file_comes_into_force(file: Path) -> None:
    in_force = ProtocolInForce(file)
    assert in_force.reload_if_changed() is False
    rewrite(file, changed("name: QuickShip", "name: SlowShip"))
    assert in_force.reload_if_changed() is True
    assert in_force.current.operator.name == "SlowShip"


def test_a_bad_file_never_replaces_the_good_one_and_its_mistake_is_kept_until_mended(file: Path) -> None:
    in_force = ProtocolInForce(file)
    rewrite(file, changed("  days_ahead: 7", "  days_ahead: 0"))
    assert in_force.reload_if_changed() is False
    assert in_force.current.redelivery.days_ahead == 7
    assert "redelivery.days_ahead" in in_force.mistakes[0]
    rewrite(file, changed("  days_ahead: 7", "  days_ahead: 5"))
    assert in_force.reload_if_changed() is True
    assert in_force.current.redelivery.days_ahead == 5
    assert in_force.mistakes == []


def test_a_file_that_vanishes_leaves_the_protocol_in_force(file: Path) -> None:
    in_force = ProtocolInForce(file)
    file.unlink()
    assert in_force.reload_if_changed() is False
    assert in_force.current.operator.name == "QuickShip"
    assert "cannot be read" in in_force.mistakes[0]
    rewrite_after_absence = changed("name: QuickShip", "name: BackAgain")
    file.write_text(rewrite_after_absence)
    assert in_force.reload_if_changed() is True


def test_no_start_with_a_bad_protocol(file: Path) -> None:
    file.write_text("operator: 5\n")
    with pytest.raises(ProtocolError):
        ProtocolInForce(file)


# --- the command ----------------------------------------------------------------------------------


def test_sop_check_says_good(file: Path) -> None:
    result = CliRunner().invoke(app, ["sop", "check", str(file)])
    assert result.exit_code == 0
    assert result.stdout.strip().endswith("sop.yml: good")


def test_sop_check_exits_with_1_and_the_mistakes(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = changed("  days_ahead: 7", "  days_ahead: 0")
    file.write_text(content)
    monkeypatch.setattr("sys.argv", ["doorline", "sop", "check", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert f"{file}:{line_of(content, 'days_ahead')}: redelivery.days_ahead" in told
    assert "Traceback" not in told
