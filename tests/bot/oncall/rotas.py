"""People and rotas for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.oncall.rota import Feeds, OnDuty, on_call_at
from bot.sop_oncall import Duty, Person

NEW_YORK = ZoneInfo("America/New_York")

PEOPLE: Mapping[str, Person] = {
    "dana": Person(name="Dana Reyes", slack="U0DANA", phone="+12125550101", email="dana@quickship.example"),
    "sam": Person(name="Sam", slack="U0SAM"),
    "ode": Person(name="Sam Ode", phone="+12125550103"),
    "lee": Person(name="Lee Wong"),
}


def duty(**section: Any) -> Duty:
    return Duty.model_validate(section)


def weekly(*people: str, **changes: Any) -> dict[str, Any]:
    """Turns of a week from Monday, June 1st 2026, 8 am."""
    return {"people": people, "every_weeks": 1, "starts_on": "2026-06-01", **changes}


def local(text: str, zone: ZoneInfo = NEW_YORK, *, fold: int = 0) -> datetime:
    """`2026-06-01 08:00` as people there read it, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def now(rota: Duty, at: datetime, feeds: Feeds | None = None, zone: ZoneInfo = NEW_YORK) -> OnDuty:
    return on_call_at(rota, PEOPLE, at, zone, feeds or Feeds())


def keys(rota: Duty, at: datetime, feeds: Feeds | None = None) -> list[str]:
    return [person.key for person in now(rota, at, feeds).line]
