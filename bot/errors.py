"""What can go wrong inside Doorline. Each class carries the HTTP status that an API answers with.

DoorlineError
├── ConfigurationError            settings or protocol are wrong: tell the operator, do not start
│   └── ProtocolError             sop.yml: file, line, key and what was expected
├── DatabaseUnavailableError      PostgreSQL cannot be reached: 503, the vendor retries
├── DialogueUnavailableError      Rasa is down, slow or still loading: the text is kept and tried again
├── AnswerFirstError              a text is not answered yet, and what is to be told comes after: tried again
└── NotFoundError                 404
"""

from http import HTTPStatus


class DoorlineError(Exception):
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class ConfigurationError(DoorlineError):
    pass


class ProtocolError(ConfigurationError):
    """One or more mistakes in a protocol file, each as `file:line: key: expected ...`."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class DatabaseUnavailableError(DoorlineError):
    status = HTTPStatus.SERVICE_UNAVAILABLE


class DialogueUnavailableError(DoorlineError):
    status = HTTPStatus.SERVICE_UNAVAILABLE


class NotFoundError(DoorlineError):
    status = HTTPStatus.NOT_FOUND


class AnswerFirstError(DoorlineError):
    status = HTTPStatus.CONFLICT
