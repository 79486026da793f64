"""Section `escalations` of `sop.yml`: who is called, how, and when."""

from datetime import time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.sop_oncall import PersonKey
from bot.sop_parts import Minutes, Section, Weekday
from connectors.escalation import Severity

ON_CALL, NEXT = "on_call", "next"
"""Whom a tier calls, beside the keys of `people`: who is on call, and the next one of the line."""

Money = Annotated[int, Field(ge=0, le=10_000_000)]


class TierKind(StrEnum):
    POST = "post"
    MENTION = "mention"
    SMS = "sms"
    CALL = "call"


class Taking(StrEnum):
    """The ways to acknowledge. What is written or pressed in a window counts as a button."""

    REACTION = "reaction"
    BUTTON = "button"
    SMS = "sms"
    CALL = "call"


class HolidayRule(StrEnum):
    ANY = "any"
    """A holiday is a day like others."""
    NEVER = "never"
    ONLY = "only"


class Hours(Section):
    """Local times, half open, where the escalation is. An end that is not after the start is on the next day; such
    hours belong to the day on which they begin. The same time twice: all day."""

    start: time = time(0)
    end: time = time(0)
    weekdays: frozenset[Weekday] = frozenset()
    """Empty: every day."""
    holidays: HolidayRule = HolidayRule.ANY


class Tier(Section):
    kind: TierKind
    after_minutes: Minutes
    to: PersonKey = ON_CALL
    """`on_call`, `next`, or a key of `people`. `next`: the first of the line whom no earlier tier reaches this way."""
    hours: Hours | None = None
    """None: at any time."""
    takes: frozenset[Taking] = Field(default=frozenset(Taking), min_length=1)
    """Which gestures are enough to take it once this tier has fired."""

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)


class OutOfHours(Section):
    """What is done at once instead of a tier that is outside its hours."""

    kind: Literal[TierKind.MENTION, TierKind.SMS, TierKind.CALL]
    to: PersonKey = ON_CALL


class Repeat(Section):
    from_step: int = Field(ge=2, le=20)
    """Counted from 1; the post itself is never repeated."""
    times: int = Field(ge=1, le=10)
    wait_minutes: int = Field(ge=1, le=24 * 60)
    """Between the last step and the first one of the repeat."""


class Steps(Section):
    """The steps of one policy, and what happens around them."""

    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=20)
    repeat: Repeat | None = None
    out_of_hours: Literal["defer"] | OutOfHours = "defer"
    """`defer`: a step outside its hours waits until they begin."""

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> Self:
        if self.tiers[0].kind is not TierKind.POST:
            raise ValueError("expected the first tier to be of kind `post`")
        if any(tier.kind is TierKind.POST for tier in self.tiers[1:]):
            raise ValueError("expected one tier of kind `post`, the first: the message is posted once")
        if [tier.after_minutes for tier in self.tiers] != sorted(tier.after_minutes for tier in self.tiers):
            raise ValueError("expected tiers in the order of their after_minutes")
        if self.repeat is not None and self.repeat.from_step > len(self.tiers):
            raise ValueError(f"expected repeat.from_step to be one of the steps 2 to {len(self.tiers)}")
        return self

    @property
    def keys(self) -> frozenset[str]:
        """The people that it names."""
        named = {tier.to for tier in self.tiers}
        if isinstance(self.out_of_hours, OutOfHours):
            named.add(self.out_of_hours.to)
        return frozenset(named - {ON_CALL, NEXT})


class When(Section):
    """What an escalation must be for a policy to fit; what is left out does not matter."""

    severity: frozenset[Severity] = frozenset()
    minutes_late_from: Minutes | None = None
    exposure_usd_from: Money | None = None
    clients: frozenset[str] = frozenset()
    """One of them is enough."""
    zones: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    hours: Hours | None = None
    """When its steps begin."""


class NamedPolicy(Steps):
    name: str = Field(min_length=1, max_length=40)
    when: When


class Escalations(Steps):
    channels: dict[str, str]
    help_channel: str | None = None
    """Where recipients who wait for a person are posted; None: the zone's channel."""
    dispatchers: frozenset[str]
    dispatcher_group: str | None = Field(default=None, pattern=r"^S[A-Z0-9]{2,}$")
    """A Slack user group whose members may acknowledge, beside `dispatchers`."""
    mention: str
    policies: tuple[NamedPolicy, ...] = ()
    """The first that fits decides; where none does, the section's own `tiers`."""
    acknowledgement_holds_minutes: int = Field(ge=1, le=24 * 60)
    longest_snooze_minutes: int = Field(default=24 * 60, ge=1, le=7 * 24 * 60)
    holidays_of: str = Field(default="en-US", pattern=r"^[a-z]{2}-[A-Z]{2}$")
    """Locale whose public holidays `hours` mean."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if "default" not in self.channels:
            raise ValueError("expected a channel named `default`")
        names = [policy.name for policy in self.policies]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each name of `policies` once, found twice: {', '.join(twice)}")
        return self

    def channel_for(self, zone: str) -> str:
        return self.channels.get(zone, self.channels["default"])

    def steps_of(self, policy: str) -> Steps:
        """The policy of this name; the section's own steps where it is empty, or not in force any more."""
        return next((named for named in self.policies if named.name == policy), self)

    @property
    def all_keys(self) -> frozenset[str]:
        """The people that any step names."""
        return frozenset[str]().union(self.keys, *(policy.keys for policy in self.policies))
