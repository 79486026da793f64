"""The clients of the vendors that are switched on: an unset vendor is off."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bot.app.accounts import Account, accounts_of
from bot.clock import Clock
from bot.errors import ConfigurationError
from bot.incidents.attachments import AttachmentFiles
from bot.settings import Settings
from bot.sop import Protocol
from connectors.base import Channel, ChannelName, Now, RoutingPlatform
from connectors.email.client import EmailChannel
from connectors.email.identity import Identity
from connectors.onfleet import wire as onfleet_wire
from connectors.onfleet.client import OnfleetPlatform
from connectors.optimoroute import wire as optimoroute_wire
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.platform_wire import Limits
from connectors.route4me import client as route4me_client
from connectors.route4me.client import Route4MePlatform
from connectors.slack.client import SlackDesk
from connectors.twilio.client import TwilioChannel
from connectors.twilio.voice import TwilioCaller


@dataclass(frozen=True)
class Vendors:
    twilio: TwilioChannel | None
    caller: TwilioCaller | None
    """None: Twilio is off, or has no number that can call."""
    email: EmailChannel | None
    slack: SlackDesk | None
    accounts: tuple[Account, ...]
    """Of the routing platforms, in the order of sop.yml."""
    platforms: dict[str, RoutingPlatform]
    """By account name."""

    @property
    def channels(self) -> dict[ChannelName, Channel]:
        channels: dict[ChannelName, Channel] = {}
        if self.twilio is not None:
            channels |= {ChannelName.SMS: self.twilio, ChannelName.WHATSAPP: self.twilio}
        if self.email is not None:
            channels[ChannelName.EMAIL] = self.email
        return channels

    def onfleets(self) -> Iterator[tuple[Account, OnfleetPlatform]]:
        """The accounts to which webhooks are registered by us."""
        for account in self.accounts:
            platform = self.platforms[account.name]
            if isinstance(platform, OnfleetPlatform):
                yield account, platform

    async def aclose(self) -> None:
        for vendor in (self.twilio, self.caller, self.email, self.slack, *self.platforms.values()):
            if vendor is not None:
                await vendor.aclose()


def open_vendors(settings: Settings, clock: Clock, protocol: Protocol) -> Vendors:
    """Raises `ConfigurationError`: an account that cannot be used as it is configured."""
    accounts = accounts_of(settings, protocol.platforms, protocol.operator.timezone)
    return Vendors(
        twilio=_twilio(settings) if settings.has_twilio else None,
        caller=open_caller(settings),
        email=_email(settings, clock) if settings.has_email else None,
        slack=SlackDesk(
            settings.slack_bot_token.get_secret_value(), now=clock.now, api_base=settings.slack_api_base
        )
        if settings.slack_bot_token is not None
        else None,
        accounts=tuple(accounts),
        platforms={account.name: open_platform(account, clock.now) for account in accounts},
    )


def open_platform(account: Account, now: Now) -> RoutingPlatform:
    """Makes the client of one account; nothing is called yet."""
    made_of, allowed = _PLATFORMS[account.vendor]
    return made_of(
        account.api_key.get_secret_value(),
        account.api_base,
        name=account.name,
        timezone=account.timezone,
        now=now,
        limits=_limits(account, allowed),
    )


def _limits(account: Account, allowed: Limits) -> Limits:
    per_second = min(account.calls_per_second or allowed.per_second, allowed.per_second)
    return replace(allowed, per_second=per_second, open_seconds=account.pause_seconds)


_PLATFORMS: Mapping[str, tuple[Callable[..., RoutingPlatform], Limits]] = {
    "onfleet": (OnfleetPlatform, onfleet_wire.LIMITS),
    "route4me": (Route4MePlatform, route4me_client.LIMITS),
    "optimoroute": (OptimoRoutePlatform, optimoroute_wire.LIMITS),
}


def mail_identity(settings: Settings) -> Identity:
    """Which addresses are ours. Raises `ChannelMisconfiguredError` for one that is none."""
    aliases = tuple(alias.strip() for alias in settings.email_aliases.split(",") if alias.strip())
    return Identity.read(settings.email_from or "", aliases=aliases, bounce_address=settings.email_bounces)


def _email(settings: Settings, clock: Clock) -> EmailChannel:
    if settings.smtp_url is None:
        raise ConfigurationError("email is only half configured")
    return EmailChannel(
        settings.smtp_url.get_secret_value(),
        mail_identity(settings),
        now=clock.now,
        read_attachment=AttachmentFiles(settings.doorline_var / "attachments").read,
    )


def _twilio(settings: Settings) -> TwilioChannel:
    if (
        settings.twilio_account_sid is None
        or settings.twilio_auth_token is None
        or settings.twilio_from is None
    ):
        raise ConfigurationError("Twilio is only half configured")
    return TwilioChannel(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_from,
        status_url=settings.public_url.rstrip("/") + "/connectors/twilio/status",
        api_base=settings.twilio_api_base,
    )


def voice_number(settings: Settings) -> str | None:
    """The number that calls: TWILIO_VOICE_FROM, else TWILIO_FROM where it is one. None: nobody can be called."""
    number = settings.twilio_voice_from or settings.twilio_from
    return number if number is not None and number.startswith("+") else None


def open_caller(settings: Settings) -> TwilioCaller | None:
    """None: Twilio is off, or has no number that can call; whoever is to be called is texted then."""
    number = voice_number(settings)
    if not settings.has_twilio or number is None:
        return None
    if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
        raise ConfigurationError("Twilio is only half configured")
    return TwilioCaller(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        number,
        voice_url=settings.public_url.rstrip("/") + "/connectors/twilio/voice",
        api_base=settings.twilio_api_base,
    )
