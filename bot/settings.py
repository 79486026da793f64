"""The environment as one frozen object. Nobody else reads os.environ."""

from pathlib import Path
from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Field names are the environment's variables in lower case. An unset vendor is off."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    """PostgreSQL URL; without it Doorline starts the embedded server under `doorline_var`."""
    public_url: str = "http://127.0.0.1:8080"
    """How vendors reach us. Signatures are verified over it, whatever proxies stand between."""
    secret_key: SecretStr = SecretStr("")
    doorline_sop: Path = PROJECT_ROOT / "bot" / "sop.yml"
    doorline_var: Path = PROJECT_ROOT / "var"
    doorline_log_json: bool = True
    rasa_url: str | None = None
    """A running Rasa server; without it `doorline serve` starts one."""

    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_api_base: str = "https://api.twilio.com"

    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_base: str = "https://slack.com/api/"

    onfleet_api_key: SecretStr | None = None
    onfleet_api_base: str = "https://onfleet.com"
    onfleet_webhook_secret: SecretStr | None = None

    # Set by `doorline demo` only: the pretended day that the app lives in.
    doorline_demo_clock: Path | None = None
    doorline_demo_world: str | None = None
    doorline_demo_slack: str | None = None

    @model_validator(mode="after")
    def _vendors_are_whole(self) -> Self:
        _all_or_none(self, "Twilio", "twilio_account_sid", "twilio_auth_token", "twilio_from")
        _all_or_none(self, "Slack", "slack_bot_token", "slack_signing_secret")
        _all_or_none(self, "Onfleet", "onfleet_api_key", "onfleet_webhook_secret")
        return self

    @property
    def has_twilio(self) -> bool:
        return self.twilio_account_sid is not None

    @property
    def has_slack(self) -> bool:
        return self.slack_bot_token is not None

    @property
    def has_onfleet(self) -> bool:
        return self.onfleet_api_key is not None

    @property
    def is_demo(self) -> bool:
        return self.doorline_demo_clock is not None


def _all_or_none(settings: Settings, vendor: str, *names: str) -> None:
    missing = [name.upper() for name in names if getattr(settings, name) is None]
    if missing and len(missing) < len(names):
        raise ValueError(
            f"{vendor} is only half configured: set {', '.join(missing)} too, or none of its variables"
        )
