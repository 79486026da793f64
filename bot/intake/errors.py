"""What the intake raises; everything else it tells as reasons."""

from http import HTTPStatus

from bot.errors import DoorlineError


class KeyReusedError(DoorlineError):
    """The same key of the same client came with another wish."""

    status = HTTPStatus.CONFLICT
