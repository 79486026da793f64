"""Section `reports` of `sop.yml`: what is reported, to whom, when. Times are the operator's."""

from datetime import time
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bot.sop_parts import Section, Weekday

Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class Format(StrEnum):
    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Calendar(Section):
    """When something is made. A week's report covers the seven days before, a month's the calendar month before.

    A day's covers that day when it is made from noon on, and the day before when it is made in the morning.
    """

    every: Every = Every.WEEK
    weekday: Weekday = Weekday.MONDAY
    """Of a weekly one."""
    day: int = Field(default=1, ge=1, le=28)
    """Of the month, for a monthly one."""
    at: time = time(8)


class ClientReport(Calendar):
    email: tuple[Address, ...] = Field(min_length=1)
    formats: tuple[Format, ...] = Field(default=(Format.PDF,), min_length=1)


class Digest(Section):
    """Last week in figures for dispatchers, in Slack: one post with two charts in its thread."""

    weekday: Weekday = Weekday.MONDAY
    at: time = time(8)
    channels: tuple[str, ...] = ()
    """Names or ids; empty: the default one of `escalations.channels`."""

    @property
    def calendar(self) -> Calendar:
        return Calendar(every=Every.WEEK, weekday=self.weekday, at=self.at)


class Reports(Section):
    """Reports that are made by the calendar. Left empty, only asked ones are made."""

    clients: dict[str, ClientReport] = Field(default_factory=dict)
    digest: Digest | None = None
    """None: there is none."""
