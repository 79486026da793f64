"""The phrases of phrases.txt, each read at the moment and place that stands above it."""

from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.windows import WindowReading, read_window

PHRASES = Path(__file__).with_name("phrases.txt")
ASK = {"?": "yes", "~": "ok"}


class Case(NamedTuple):
    now: datetime
    timezone: str
    locale: str
    text: str
    meaning: str


def _cases() -> list[Case]:
    cases: list[Case] = []
    place: tuple[datetime, str, str] | None = None
    for line in PHRASES.read_text(encoding="utf-8").splitlines():
        if line.startswith("@ 20"):
            _, moment, timezone, locale = line.split()
            place = (datetime.fromisoformat(moment), timezone, locale)
        elif place and " => " in line:
            text, _, meaning = line.rpartition(" => ")
            cases.append(Case(*place, text, meaning))
    return cases


def _written(reading: WindowReading, year: int) -> str:
    """A reading in the notation of phrases.txt."""
    mark = {"yes": "?", "ok": "~", "no": ""}[reading.ask]
    days = [("or", reading.alternatives), ("not", reading.exclude)]
    return " ".join(
        [
            _day(reading.date, year) + (f"..{_day(reading.date_end, year)}" if reading.date_end else ""),
            f"{_clock(reading.start)}-{_clock(reading.end)}" if reading.start and reading.end else "any",
            *([mark + reading.reason] if reading.reason else []),
            *(" ".join([word, *(_day(each, year) for each in named)]) for word, named in days if named),
        ]
    )


def _day(day: date | None, year: int) -> str:
    if day is None:
        return "-"
    return f"{day:%m-%d}" if day.year == year else day.isoformat()


def _clock(at: time) -> str:
    return f"{at.hour}:{at:%M}" if at.minute else str(at.hour)


def test_the_file_of_phrases_is_whole() -> None:
    assert len(_cases()) > 1000


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.text)
def test_a_phrase_means_what_the_convention_says(case: Case) -> None:
    reading = read_window(case.text, now=case.now, timezone=case.timezone, locale=case.locale)
    assert _written(reading, case.now.year) == case.meaning
