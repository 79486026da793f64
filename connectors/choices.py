"""What a dispatcher may choose from in the windows of an escalation: read when a window opens, within its seconds."""

from collections.abc import Mapping
from typing import Protocol

from connectors.base import FailureReason, Record
from connectors.escalation import EscalationView, Severity


class DriverChoice(Record):
    """Somebody who could take stops over."""

    driver_ref: str
    name: str
    stops_left: int | None = None
    """Open stops of today; None where that is not known."""
    on_duty: bool | None = None
    zone: str = ""


class OtherEscalation(Record):
    """An open escalation into which this one could go."""

    escalation_id: str
    severity: Severity
    zone: str
    client: str
    stops: int
    address_line: str = ""
    """Of its first stop."""


class WindowChoices(Record):
    view: EscalationView
    """With every stop, however many there are."""
    open_stop_ids: tuple[str, ...] = ()
    """Stops that are not over yet, in the order of the view."""
    drivers: tuple[DriverChoice, ...] = ()
    """Of the platform account of its stops, likeliest first; empty where that platform takes no such change."""
    zones: tuple[str, ...] = ()
    """To which it can be handed over; its own is not among them."""
    others: tuple[OtherEscalation, ...] = ()
    root_causes: tuple[FailureReason, ...] = ()
    exclusions: Mapping[str, str] = {}
    """Code to label: reasons for which a breach does not count."""
    can_move_window: bool = False
    has_driver: bool = False


class EscalationChoices(Protocol):
    async def choices(self, escalation_id: str) -> WindowChoices | None:
        """One quick read; None for an escalation that is not ours. Raises `StorageUnavailableError`."""
        ...
