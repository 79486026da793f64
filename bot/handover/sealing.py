"""Keeps secrets in the database so that the database alone opens none: Fernet, its key from SECRET_KEY."""

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken

from bot.errors import ConfigurationError
from bot.keys import derived

PREFIX = "whsec_"


class Seal:
    def __init__(self, secret_key: str) -> None:
        key = bytes.fromhex(derived(secret_key, "client-webhooks"))
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises `ConfigurationError` when SECRET_KEY is not the one that it was sealed with."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as exc:
            raise ConfigurationError("a webhook secret was sealed with another SECRET_KEY") from exc


def new_secret() -> str:
    """256 random bits, as the Standard Webhooks scheme writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
