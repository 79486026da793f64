"""Who is on call in the running app: sop.yml, calendars and groups that are read, kept, and sometimes dead."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from bot.app.oncall import OnCallServices, on_call_services
from bot.oncall.models import OnCallSource
from bot.oncall.people import OnCallPerson
from connectors.emulation import Fault, Server
from connectors.ical.emulator import CalendarEmulator, Feed
from tests.harness.desk import hand
from tests.harness.protocol import QUIET
from tests.harness.world import Setting, World

PEOPLE = """
people:
  dana: {name: Dana, slack: U0DANA, phone: "+12125550101"}
  sam: {name: Sam, slack: U0SAM}
  ode: {name: Ode, phone: "+12125550103", email: ode@quickship.example}
"""

TWO_WEEKS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//tests//EN\r
BEGIN:VEVENT\r
UID:1@tests\r
DTSTAMP:20260601T000000Z\r
DTSTART;TZID=America/New_York:20260608T080000\r
DTEND;TZID=America/New_York:20260610T080000\r
RRULE:FREQ=DAILY;INTERVAL=4\r
SUMMARY:On call: Dana\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2@tests\r
DTSTAMP:20260601T000000Z\r
DTSTART;TZID=America/New_York:20260610T080000\r
DTEND;TZID=America/New_York:20260612T080000\r
SUMMARY:Somebody\r
ATTENDEE:mailto:ode@quickship.example\r
END:VEVENT\r
END:VCALENDAR\r
"""


class Rota:
    """The world with a rota of its own in sop.yml."""

    def __init__(self, world: World, file: Path, calendar: CalendarEmulator, base: str) -> None:
        self.world = world
        self._file = file
        self.calendar = calendar
        self.url = f"{base}/feeds/oncall.ics"
        self.services: OnCallServices

    def says(self, section: str, escalations: str = "") -> None:
        text = QUIET.read_text() + PEOPLE + section.replace("CALENDAR", self.url)
        if escalations:
            text = text.replace("escalations:\n", f"escalations:\n  {escalations}\n", 1)
        self._file.write_text(text)
        doorline = self.world.doorline
        # Written within one tick of the file system's clock it would not be seen as new.
        doorline.services.sop._modified_ns = 0
        assert doorline.services.sop.reload_if_changed(), doorline.services.sop.mistakes
        services: Any = doorline.services
        desk = {"desk_boards": services.desk_boards, "desk_commands": services.desk_commands}
        self.services = on_call_services(
            services.database,
            services.clock,
            services.sop,
            desk,  # type: ignore[arg-type]
            doorline.vendors.slack,
        )

    async def line(self, zone: str = "North", **later: float) -> list[OnCallPerson]:
        at = self.world.clock.now() + timedelta(**later)
        async with self.world.doorline.services.database.transaction() as session:
            return list(await self.services["on_call"].line(session, zone, at))

    async def may_acknowledge(self) -> set[str]:
        async with self.world.doorline.services.database.transaction() as session:
            return set(await self.services["on_call"].may_acknowledge(session))

    async def reads(self, **later: float) -> int:
        self.world.clock.move(timedelta(**later))
        return await self.services["on_call_sources"].refresh_due()

    async def who(self, zone: str = "") -> str:
        dana = hand(self.world)
        before = len(await dana.is_told())
        await dana.types(f"who {zone}")
        await self.world.settled()
        return (await dana.is_told())[before:][-1]


@pytest.fixture
async def rota(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Rota]:
    calendar = CalendarEmulator()
    calendar.feeds["oncall"] = Feed(TWO_WEEKS)
    server = Server(calendar.app)
    await server.start()
    file = tmp_path / "sop.yml"
    file.write_text(QUIET.read_text())
    async with World(bare_setting, sop=file) as world:
        world.slack.api._usergroups = {"S0NORTH": ["U0SAM", "U0DANA"]}
        yield Rota(world, file, calendar, server.url)
    await server.stop()


ROTATION = "rotation: {people: [dana, sam], every_weeks: 1, starts_on: 2026-06-08}"


async def test_a_zone_without_a_rota_has_the_default_one(rota: Rota) -> None:
    rota.says(f"on_call: {{zones: {{South: {{{ROTATION}}}}}}}\n")
    assert rota.services["on_call"].is_set_up("south")
    assert not rota.services["on_call"].is_set_up("North")
    assert await rota.line("North") == []
    rota.says(f"on_call: {{default: {{{ROTATION}}}, operators: [ode]}}\n")
    assert [person.name for person in await rota.line("North")] == ["Dana", "Sam"]
    on_call = rota.services["on_call"]
    assert [person.name for person in on_call.operators()] == ["Ode"]
    found = [on_call.find_person(who) for who in ("U0SAM", "person:ode", "ode", "U0KIM")]
    assert [person.key if person else None for person in found] == ["sam", "ode", None, None]


async def test_a_calendar_is_read_and_an_unchanged_one_is_not_sent_again(rota: Rota) -> None:
    rota.says("on_call: {default: {calendar: 'CALENDAR'}, refresh_minutes: 5}\n")
    assert await rota.line() == []
    assert await rota.reads() == 1
    assert [person.key for person in await rota.line()] == ["dana"]
    assert [person.key for person in await rota.line(days=1)] == ["ode"]
    assert await rota.reads(minutes=4, seconds=59) == 0
    assert await rota.reads(seconds=1) == 1
    feed = rota.calendar.feeds["oncall"]
    assert (feed.sent, feed.unchanged) == (1, 1)


async def test_a_changed_calendar_counts_from_its_next_reading(rota: Rota) -> None:
    rota.says("on_call: {default: {calendar: 'CALENDAR'}}\n")
    await rota.reads()
    feed = rota.calendar.feeds["oncall"]
    feed.text = feed.text.replace("On call: Dana", "On call: Sam")
    assert [person.key for person in await rota.line()] == ["dana"]
    await rota.reads(minutes=5)
    assert [person.key for person in await rota.line()] == ["sam"]


async def test_a_dead_calendar_keeps_the_last_good_one_and_its_age_is_told(rota: Rota) -> None:
    rota.says("on_call: {default: {calendar: 'CALENDAR'}}\n")
    await rota.reads()
    rota.calendar.faults.down = True
    await rota.reads(minutes=10)
    assert "cannot be read" not in await rota.who()
    await rota.reads(hours=2)
    assert [person.key for person in await rota.line()] == ["dana"]
    assert "as it stood 2 h 10 min ago, it cannot be read now" in await rota.who()
    (row,) = await rota.world.rows(OnCallSource)
    assert (row.why, rota.url in row.key) == ("status:503", False)
    rota.calendar.faults.down = False
    await rota.reads(minutes=5)
    assert "cannot be read" not in await rota.who()


async def test_a_sign_in_page_does_not_replace_a_calendar(rota: Rota) -> None:
    rota.says("on_call: {default: {calendar: 'CALENDAR'}}\n")
    await rota.reads()
    rota.calendar.feeds["oncall"].text = "<html>sign in</html>"
    await rota.reads(minutes=5)
    assert [person.key for person in await rota.line()] == ["dana"]


async def test_a_user_group_is_called_in_slacks_order(rota: Rota) -> None:
    rota.says("on_call: {default: {group: S0NORTH}}\n")
    await rota.reads()
    assert [(person.key, person.phone) for person in await rota.line()] == [
        ("sam", None),
        ("dana", "+12125550101"),
    ]


async def test_while_slack_is_down_the_last_known_members_count(rota: Rota) -> None:
    rota.says("on_call: {default: {group: S0NORTH}}\n")
    await rota.reads()
    rota.world.slack.faults.next(Fault("status", status=503, path_contains="usergroups"))
    await rota.reads(minutes=5)
    assert [person.key for person in await rota.line()] == ["sam", "dana"]
    (row,) = await rota.world.rows(OnCallSource)
    assert row.failing_since == rota.world.clock.wall()


async def test_a_group_that_does_not_exist_is_nobody_and_said_so(rota: Rota) -> None:
    rota.says("on_call: {default: {group: S0NOBODY}}\n")
    await rota.reads()
    assert await rota.line() == []
    (row,) = await rota.world.rows(OnCallSource)
    assert row.why == "no_such_subteam"
    told = await rota.who()
    assert "nobody is on call" in told
    assert "was never read" in told


async def test_everybody_may_acknowledge_where_nobody_is_named(rota: Rota) -> None:
    rota.says(f"on_call: {{default: {{{ROTATION}}}}}\n")
    assert await rota.may_acknowledge() == set()


async def test_the_members_of_the_group_and_whoever_is_called_may_acknowledge(rota: Rota) -> None:
    rota.world.slack.api._usergroups = {"S0NORTH": ["U0KIM"]}
    rota.says("", "dispatcher_group: S0NORTH")
    unread = {"U0DANA", "U0SAM", "person:ode"}
    assert await rota.may_acknowledge() == unread, "a list that was never read is not an open door"
    await rota.reads()
    assert await rota.may_acknowledge() == unread | {"U0KIM"}


async def test_two_replicas_read_a_source_once(rota: Rota) -> None:
    rota.says("on_call: {default: {group: S0NORTH}}\n")
    await rota.reads()
    await rota.reads()
    assert rota.world.slack.api.calls["usergroups.users.list"] == 1
    assert await rota.world.rows(OnCallSource, col(OnCallSource.key) == "group:S0NORTH")


async def test_who_is_on_call_is_answered_quietly(rota: Rota) -> None:
    rota.says(
        f"""
on_call:
  default: {{{ROTATION}, backups: [ode]}}
  zones:
    North:
      {ROTATION}
      overrides: [{{person: ode, start: 2026-06-09 10:00, end: 2026-06-09 14:00}}]
"""
    )
    assert await rota.who() == (
        "*North:* Ode (stands in) until 2:00 pm, then Dana · if there is no answer: Sam (no phone)\n"
        "*All zones:* Dana until Mon Jun 15, 8:00 am, then Sam (no phone)"
        " · if there is no answer: Sam (no phone), Ode"
    )
    assert (await rota.who("North")).startswith("*North:* Ode (stands in)")
    assert (await rota.who("south")).startswith("*south:* Dana")
    assert await rota.world.channel() == []


async def test_who_is_on_call_where_nobody_ever_is(rota: Rota) -> None:
    rota.says("")
    assert await rota.who() == "Nobody is named as on call in sop.yml."


async def test_until_when_somebody_is_on_call(rota: Rota) -> None:
    rota.says(f"on_call: {{default: {{{ROTATION}}}}}\n")
    on_call, now = rota.services["on_call"], rota.world.clock.now()
    async with rota.world.doorline.services.database.transaction() as session:
        until = await on_call.on_call_until(session, "North", "U0DANA", now)
        assert until == rota.world.local("08:00", day=6)
        assert await on_call.on_call_until(session, "North", "U0SAM", now) is None
