"""What can go wrong at the wire, as classes on which a caller acts differently.

ConnectorError
├── PlatformError                    a routing platform
│   ├── PlatformUnavailableError     down, slow, overloaded, or talking nonsense: try later
│   ├── PlatformRejectedError        said no: tell the dispatcher
│   ├── PlatformMisconfiguredError   wrong key or permission: tell the operator
│   └── StopNotFoundError            no such stop there
├── ChannelError                     a carrier of messages, or the dispatchers' workspace
│   ├── ChannelUnavailableError      not sent, safe to try later
│   ├── OutcomeUnknownError          perhaps sent: reconcile before trying again
│   ├── UndeliverableError           this address never works: use another channel
│   ├── RecipientOptedOutError       the recipient said STOP
│   └── ChannelMisconfiguredError    wrong credentials or sender: tell the operator
├── UnreadablePayloadError           an inbound body that is not what the vendor documents
├── BadSignatureError                forged, or the wrong secret is configured
└── StorageUnavailableError          raised by the receiving callable: nothing was stored, answer 503
"""

from datetime import timedelta


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


class ChannelMisconfiguredError(ChannelError):
    pass


class UnreadablePayloadError(ConnectorError):
    """Answered with 400 and its text; nothing is stored."""


class BadSignatureError(ConnectorError):
    """Answered with 403; nothing is stored."""


class StorageUnavailableError(ConnectorError):
    """Nothing was stored; the edge answers 503 so that the vendor delivers again."""
