"""The environment as one frozen object. Nobody else reads os.environ."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


DEFAULT_PROTOCOL = PROJECT_ROOT / "bot" / "sop.yml"
VENDORS = ("onfleet", "route4me", "optimoroute")
ACCOUNT_SUFFIXES = ("_API_KEY", "_API_BASE", "_WEBHOOK_SECRET", "_TIMEZONE")


class AccountEnvironment(BaseModel):
    """What the environment says of one account of a routing platform; what it does not say is None."""

    model_config = ConfigDict(frozen=True)

    api_key: SecretStr | None = None
    api_base: str | None = None
    webhook_secret: SecretStr | None = None
    timezone: str | None = None


def _account_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.endswith(ACCOUNT_SUFFIXES) and value}


class Settings(BaseSettings):
    """Field names are the environment's variables in lower case. An unset vendor is off."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    """PostgreSQL URL; without it Doorline starts the embedded server under `doorline_var`."""
    public_url: str = "http://127.0.0.1:8080"
    """How vendors reach us. Signatures are verified over it, whatever proxies stand between."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-For is believed, with commas between them."""
    secret_key: SecretStr = SecretStr("")
    doorline_sop: Path = DEFAULT_PROTOCOL
    doorline_var: Path = PROJECT_ROOT / "var"
    doorline_log_json: bool = True
    rasa_url: str | None = None
    """A running Rasa server; without it `doorline serve` starts one."""

    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_voice_from: str | None = None
    """The number that calls people on call, E.164; None: TWILIO_FROM where that is a number."""
    twilio_api_base: str = "https://api.twilio.com"

    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_base: str = "https://slack.com/api/"

    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:587?starttls=1` or `smtps://…`: where mails are handed in."""
    email_from: str | None = None
    """`QuickShip <delivery@quickship.example>`."""
    email_aliases: str = ""
    """Further addresses of ours, with commas between them."""
    email_bounces: str = ""
    """Where bounces go, one plus-address for each mail; the provider must allow those."""
    email_trusted_authserv: str = ""
    """Whose Authentication-Results are believed."""
    email_inbound_host: str = "127.0.0.1"
    email_inbound_port: int | None = None
    """Unset: no SMTP listener."""
    email_inbound_lmtp: bool = False
    email_signing_key: SecretStr | None = None
    """Of the provider's signed route; unset: there is none."""

    onfleet_api_key: SecretStr | None = None
    onfleet_api_base: str = "https://onfleet.com"
    onfleet_webhook_secret: SecretStr | None = None
    onfleet_timezone: str | None = None
    """IANA zone of the account; also in sop.yml. None: the operator's."""

    route4me_api_key: SecretStr | None = None
    route4me_api_base: str = "https://api.route4me.com"
    route4me_timezone: str | None = None

    optimoroute_api_key: SecretStr | None = None
    optimoroute_api_base: str = "https://api.optimoroute.com"
    optimoroute_timezone: str | None = None
    """OptimoRoute tells times without a zone: needed here or in sop.yml."""

    platform_pause_seconds: float = Field(default=20.0, ge=0, le=600)
    """For how long a routing platform that does not answer is left alone before one call tries it out."""

    # Set by `doorline demo` only: the pretended day that the app lives in.
    doorline_demo_clock: Path | None = None
    doorline_demo_world: str | None = None
    doorline_demo_slack: str | None = None

    _account_variables: dict[str, str] = PrivateAttr(default_factory=_account_variables)

    @model_validator(mode="after")
    def _vendors_are_whole(self) -> Self:
        _all_or_none(self, "Twilio", "twilio_account_sid", "twilio_auth_token", "twilio_from")
        _all_or_none(self, "Slack", "slack_bot_token", "slack_signing_secret")
        _all_or_none(self, "Email", "smtp_url", "email_from")
        _all_or_none(self, "Onfleet", "onfleet_api_key", "onfleet_webhook_secret")
        return self

    @property
    def has_twilio(self) -> bool:
        return self.twilio_account_sid is not None

    @property
    def has_slack(self) -> bool:
        return self.slack_bot_token is not None

    @property
    def has_email(self) -> bool:
        return self.smtp_url is not None

    @property
    def has_onfleet(self) -> bool:
        return self.onfleet_api_key is not None

    @property
    def has_platform(self) -> bool:
        """Whether the environment has a key of any routing platform's first account."""
        return any(self.account_environment(vendor).api_key for vendor in VENDORS)

    def account_environment(self, name: str) -> AccountEnvironment:
        """The variables of an account that `sop.yml` names: `<NAME>_API_KEY` and so on, name in upper case."""
        if name in VENDORS:
            return AccountEnvironment.model_validate(
                {part: getattr(self, f"{name}_{part}", None) for part in AccountEnvironment.model_fields}
            )
        variables = {
            suffix[1:].lower(): self._account_variables.get(f"{name.upper()}{suffix}")
            for suffix in ACCOUNT_SUFFIXES
        }
        return AccountEnvironment.model_validate(variables)

    @property
    def is_demo(self) -> bool:
        return self.doorline_demo_clock is not None


def _all_or_none(settings: Settings, vendor: str, *names: str) -> None:
    missing = [name.upper() for name in names if getattr(settings, name) is None]
    if missing and len(missing) < len(names):
        raise ValueError(
            f"{vendor} is only half configured: set {', '.join(missing)} too, or none of its variables"
        )
