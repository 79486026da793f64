"""What can go wrong at the wire, as classes on which a caller acts differently.

ConnectorError
├── PlatformError                    a routing platform
│   ├── PlatformUnavailableError     down, slow, overloaded, or talking nonsense: try later
│   ├── PlatformRejectedError        said no, `code` says why: tell the dispatcher
│   │   └── NotPossibleError         this platform has no such thing: a dispatcher does it by hand
│   ├── PlatformMisconfiguredError   wrong key or permission: tell the operator
│   └── StopNotFoundError            no such stop there
├── ChannelError                     a carrier of messages, or the dispatchers' workspace
│   ├── ChannelUnavailableError      not sent, safe to try later
│   ├── OutcomeUnknownError          perhaps sent: reconcile before trying again
│   ├── UndeliverableError           this address never works: use another channel
│   ├── RecipientOptedOutError       the recipient said STOP
│   ├── MediaRefusedError            a picture that is gone, too big, or not where the carrier keeps them
│   └── ChannelMisconfiguredError    wrong credentials or sender: tell the operator
├── UnreadablePayloadError           an inbound body that is not what the vendor documents
├── BadSignatureError                forged, or the wrong secret is configured
└── StorageUnavailableError          raised by the receiving callable: nothing was stored, answer 503
"""

from datetime import timedelta
from enum import StrEnum


class ConnectorError(Exception):
    """Base of everything raised in `connectors`."""


class PlatformError(ConnectorError):
    def __init__(self, platform: str, detail: str) -> None:
        super().__init__(f"{platform}: {detail}")
        self.platform = platform
        self.detail = detail


class PlatformUnavailableError(PlatformError):
    def __init__(self, platform: str, detail: str, retry_after: timedelta | None = None) -> None:
        super().__init__(platform, detail)
        self.retry_after = retry_after


class PlatformRejectedError(PlatformError):
    def __init__(self, platform: str, detail: str, code: str = "") -> None:
        super().__init__(platform, detail)
        self.code = code


class Refused(StrEnum):
    """Why a platform, or its connector on its behalf, said no: values of `PlatformRejectedError.code`.

    A vendor's own code stands there where none of these fits.
    """

    UNDER_WAY = "under_way"
    """The driver is on the way to this stop."""
    FINISHED = "finished"
    """Completed or cancelled: nothing of it can be changed any more."""
    RELEASED = "released"
    """The route is with the driver: it takes a dispatcher to change it."""
    NOT_FAILED = "not_failed"
    KEPT = "kept"
    """It answered yes and kept the old."""
    WOULD_WIPE = "would_wipe"
    """The write would reset what we do not know."""
    NOTES_FULL = "notes_full"
    BAD_ADDRESS = "bad_address"
    """It cannot be found on the platform's map."""
    BAD_PHONE = "bad_phone"
    BAD_WINDOW = "bad_window"
    UNKNOWN_DRIVER = "unknown_driver"
    NO_ROUTE = "no_route"
    """The driver has no route on the stop's day, and the platform gives stops to routes only."""
    NOT_POSSIBLE = "not_possible"


class NotPossibleError(PlatformRejectedError):
    """Asked of a platform that does not declare the capability."""

    def __init__(self, platform: str, what: str) -> None:
        super().__init__(platform, f"{what} is not possible there", code=Refused.NOT_POSSIBLE)


class PlatformMisconfiguredError(PlatformError):
    pass


class StopNotFoundError(PlatformError):
    def __init__(self, platform: str, platform_ref: str) -> None:
        super().__init__(platform, f"no stop {platform_ref}")
        self.platform_ref = platform_ref


class ChannelError(ConnectorError):
    def __init__(self, channel: str, detail: str, code: str | None = None) -> None:
        super().__init__(f"{channel}: {detail}" + (f" ({code})" if code else ""))
        self.channel = channel
        self.code = code


class ChannelUnavailableError(ChannelError):
    def __init__(
        self, channel: str, detail: str, code: str | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(channel, detail, code)
        self.retry_after = retry_after


class OutcomeUnknownError(ChannelError):
    pass


class UndeliverableError(ChannelError):
    pass


class RecipientOptedOutError(ChannelError):
    pass


class MediaRefusedError(ChannelError):
    """`code` says why: `gone`, `too_big`, `wrong_type`, `foreign_url`."""


class ChannelMisconfiguredError(ChannelError):
    pass


class UnreadablePayloadError(ConnectorError):
    """Answered with 400 and its text; nothing is stored."""


class BadSignatureError(ConnectorError):
    """Answered with 403; nothing is stored."""


class StorageUnavailableError(ConnectorError):
    """Nothing was stored; the edge answers 503 so that the vendor delivers again."""
