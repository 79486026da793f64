"""The receiving side of a platform's webhook edge, kept in memory."""

from dataclasses import dataclass, field

from connectors.base import PlatformEvent
from connectors.errors import StorageUnavailableError


@dataclass
class Received:
    """What an edge hands on, in order of arrival."""

    url: str = ""
    received: list[PlatformEvent] = field(default_factory=list)
    storage_fails: int = 0

    async def receive(self, event: PlatformEvent) -> None:
        if self.storage_fails:
            self.storage_fails -= 1
            raise StorageUnavailableError("no database")
        self.received.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.received]
