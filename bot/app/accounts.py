"""Which accounts of the routing platforms are on: named in sop.yml, keys from the environment. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import available_timezones

from pydantic import SecretStr

from bot.errors import ConfigurationError
from bot.keys import webhook_secret
from bot.settings import VENDORS, Settings
from bot.sop import Platforms
from bot.sop_desk import PlatformAccount

API_BASES = {
    "onfleet": "https://onfleet.com",
    "route4me": "https://api.route4me.com",
    "optimoroute": "https://api.optimoroute.com",
}


@dataclass(frozen=True)
class Account:
    """One account that is on."""

    name: str
    vendor: str
    timezone: str
    api_key: SecretStr
    api_base: str
    webhook_secret: SecretStr | None = None
    calls_per_second: int | None = None
    """Less than the vendor allows; None: what it allows."""
    pause_seconds: float = 20.0
    """For how long it is left alone when it does not answer."""


def accounts_of(settings: Settings, platforms: Platforms, operator_timezone: str) -> list[Account]:
    """The accounts that have a key, in the order of sop.yml; then the vendors that it does not name.

    Raises `ConfigurationError` for an account that cannot be used as it is configured.
    """
    found = []
    for name, declared in _declared(platforms):
        environment = settings.account_environment(name)
        if environment.api_key is not None:
            found.append(
                Account(
                    name=name,
                    vendor=declared.vendor,
                    timezone=_timezone(name, declared, environment.timezone, operator_timezone),
                    api_key=environment.api_key,
                    api_base=environment.api_base or API_BASES[declared.vendor],
                    webhook_secret=_webhook_secret(name, declared.vendor, environment.webhook_secret),
                    calls_per_second=declared.calls_per_second,
                    pause_seconds=settings.platform_pause_seconds,
                )
            )
    return found


def accounts_off(settings: Settings, platforms: Platforms) -> list[str]:
    """Names of the accounts without a key: those of sop.yml, and each vendor that it does not name at all."""
    named = set(platforms.accounts)
    vendors = {account.vendor for account in platforms.accounts.values()}
    return [
        name
        for name, _ in _declared(platforms)
        if (name in named or name not in vendors) and settings.account_environment(name).api_key is None
    ]


def webhook_path(account: Account) -> str:
    """Where the events of one account are delivered, below the vendor's own prefix."""
    return "/webhook" if account.name == account.vendor else f"/webhook/{account.name}"


def webhook_url(public_url: str, account: Account) -> str:
    return f"{public_url.rstrip('/')}/connectors/{account.vendor}{webhook_path(account)}"


def route4me_webhook_url(public_url: str, account: Account, key: str) -> str:
    """What the account's owner has to paste at Route4Me. Whoever knows it can make us look at a stop again."""
    return f"{webhook_url(public_url, account)}/{webhook_secret(key, account.name)}"


def _declared(platforms: Platforms) -> Iterator[tuple[str, PlatformAccount]]:
    yield from platforms.accounts.items()
    for vendor in VENDORS:
        if vendor not in platforms.accounts:
            yield vendor, PlatformAccount(vendor=vendor)


def _timezone(name: str, declared: PlatformAccount, configured: str | None, operator: str) -> str:
    wanted = declared.timezone or configured
    variable = f"{name.upper()}_TIMEZONE"
    if wanted is None and declared.vendor == "optimoroute":
        where = f"`platforms.accounts.{name}.timezone` in sop.yml or {variable}"
        raise ConfigurationError(f"OptimoRoute tells times without a zone: set {where} to the account's zone")
    if wanted is not None and wanted not in available_timezones():
        raise ConfigurationError(f"{variable}: expected an IANA time zone such as America/New_York")
    return wanted or operator


def _webhook_secret(name: str, vendor: str, secret: SecretStr | None) -> SecretStr | None:
    if vendor == "onfleet" and secret is None:
        raise ConfigurationError(f"{name} is only half configured: set {name.upper()}_WEBHOOK_SECRET too")
    return secret
