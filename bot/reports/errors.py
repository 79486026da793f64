"""What can be wrong with a report that somebody asks for.

DoorlineError
├── NotFoundError
│   ├── UnknownClientError    nobody of that name has stops, nor stands in sop.yml
│   └── NothingPromisedError  no stop of the period had a window
├── BadPeriodError            422: it ends before it begins, lies ahead, or is too long
├── RenderingError            the process that draws died or took too long: tried again
└── ConfigurationError
    └── PdfUnavailableError   a library of the system is missing
"""

from http import HTTPStatus

from bot.errors import ConfigurationError, DoorlineError, NotFoundError


class UnknownClientError(NotFoundError):
    def __init__(self, client: str, known: list[str]) -> None:
        names = ", ".join(known[:20]) or "none yet"
        super().__init__(f"no client {client!r}; there are: {names}")


class NothingPromisedError(NotFoundError):
    pass


class BadPeriodError(DoorlineError):
    """Its text is for who asked."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class RenderingError(DoorlineError):
    """Its text has the last words of the process."""


class PdfUnavailableError(ConfigurationError):
    """HTML, CSV and JSON work, PDF does not; its text says which packages to install."""
