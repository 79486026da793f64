"""Secrets of our own: one key per installation, and what is derived from it."""

import hashlib
import hmac
import secrets
from pathlib import Path

from bot.settings import Settings


def secret_key(settings: Settings) -> str:
    """SECRET_KEY, or a random one that is made once and kept under `var/`, readable by its owner only."""
    configured = settings.secret_key.get_secret_value()
    if configured:
        return configured
    path: Path = settings.doorline_var / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def actions_token(key: str) -> str:
    """What Rasa shows at `/actions/webhook`: whoever can call an action can move a delivery."""
    return derived(key, "actions")


def webhook_secret(key: str, account: str) -> str:
    """The part of a webhook's address that only the account's owner and we know, where webhooks are not signed."""
    return derived(key, f"webhook:{account}")


def derived(key: str, purpose: str) -> str:
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).hexdigest()
