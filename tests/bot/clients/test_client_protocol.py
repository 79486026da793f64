"""Section `clients` of sop.yml: how a client is told; a mistake names its line. The days of a daily summary."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.errors import ProtocolError
from bot.reports.calendar import next_due
from bot.reports.models import RunKind
from bot.reports.records import Period
from bot.reports.schedule import wanted_by
from bot.sop import parse_protocol
from bot.sop_desk import DailySummary, Tell, Way
from tests.harness.protocol import QUIET

SHIPPED = QUIET.read_text(encoding="utf-8")
FIRST = SHIPPED.count("\n") + 1
NEW_YORK = ZoneInfo("America/New_York")


def read(clients: str) -> list[str]:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(SHIPPED + clients, "sop.yml")
    return caught.value.mistakes


def test_one_address_needs_no_brackets_and_nobody_is_mailed_unasked() -> None:
    clients = "clients:\n  Acme: {email: ops@acme.example}\n  Nova: {email: [a@b.example, c@d.example]}\n  Sol: {}\n"
    protocol = parse_protocol(SHIPPED + clients, "sop.yml")
    assert protocol.client("Acme").email == ("ops@acme.example",)
    assert protocol.client("Nova").email == ("a@b.example", "c@d.example")
    assert (protocol.client("Sol").email, protocol.client("Stranger").tell) == ((), Tell())
    assert Tell().ways == {Way.WEBHOOK}
    assert RunKind.CLIENT_DAY not in {wanted.kind for wanted in wanted_by(protocol)}


@pytest.mark.parametrize(
    ("clients", "line", "words"),
    [
        ("clients:\n  Acme:\n    email: nobody\n", 2, "clients.Acme.email.0"),
        ("clients:\n  Acme:\n    email:\n      - a@b.example\n      - nobody\n", 4, "clients.Acme.email.1"),
        ("clients:\n  Acme:\n    tell: {breach: [email]}\n", 1, "expected an address under `email`"),
        ("clients:\n  Acme:\n    tell: {daily_summary: {}}\n", 1, "expected an address under `email`"),
        ("clients:\n  Acme:\n    tell:\n      breach: [fax]\n", 3, "clients.Acme.tell.breach.0"),
        ("clients:\n  Acme:\n    tell:\n      breech: [email]\n", 3, "unknown key"),
        ("clients:\n  Acme:\n    language: fr\n", 2, "clients.Acme.language"),
    ],
)
def test_a_mistake_names_its_line(clients: str, line: int, words: str) -> None:
    [mistake] = read(clients)
    assert mistake.startswith(f"sop.yml:{FIRST + line}:")
    assert words in mistake


@pytest.mark.parametrize(
    ("at", "after", "due", "about"),
    [
        (time(18, 30), (2026, 6, 9, 18, 29), (2026, 6, 9, 18, 30), date(2026, 6, 9)),
        (time(18, 30), (2026, 6, 9, 18, 30), (2026, 6, 10, 18, 30), date(2026, 6, 10)),
        (time(7), (2026, 6, 9, 6, 59), (2026, 6, 9, 7), date(2026, 6, 8)),
        (time(12), (2026, 6, 9, 6), (2026, 6, 9, 12), date(2026, 6, 9)),
        (time(2, 30), (2026, 3, 7, 12), (2026, 3, 8, 3, 30), date(2026, 3, 7)),
    ],
    ids=["just before", "exactly then", "in the morning", "at noon", "a time that clocks leap over"],
)
def test_a_summary_is_about_the_day_that_is_over_or_nearly_so(
    at: time, after: tuple[int, ...], due: tuple[int, ...], about: date
) -> None:
    found = next_due(DailySummary(at=at).calendar, datetime(*after, tzinfo=NEW_YORK), NEW_YORK)  # type: ignore[arg-type, misc]
    assert found.at.astimezone(UTC) == datetime(*due, tzinfo=NEW_YORK).astimezone(UTC)  # type: ignore[arg-type, misc]
    assert found.period == Period(about, about)
