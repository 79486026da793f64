"""A wanted stop before and after it was read: the form as somebody filled it in, and the clean one."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from connectors.base import Address, DeliveryWindow, Record


class StopForm(Record):
    """As it came from a client or a dispatcher: nothing of it judged yet, any text may be empty or nonsense."""

    recipient_name: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    """Number and street, perhaps with city, state and postcode behind them."""
    city: str = ""
    postcode: str = ""
    region: str = ""
    country: str = ""
    """ISO 3166, two letters; empty: the operator's."""
    start_at: AwareDatetime | None = None
    end_at: AwareDatetime | None = None
    order_ref: str = ""
    notes: str = ""
    access_code: str = ""
    service_minutes: int | None = None
    load: float = 1.0


class CleanStop(Record):
    """The same, normalised: what a platform is asked to enter."""

    address: Address
    recipient_name: str
    recipient_phone: str | None = None
    """E.164."""
    recipient_email: str | None = None
    window: DeliveryWindow
    order_ref: str | None = None
    notes: str = ""
    access_code: str = ""
    """Gone from our tables as soon as the stop is entered, or will not be."""
    service_minutes: int | None = Field(default=None, ge=1, le=240)
    load: float = 1.0

    def without_code(self) -> "CleanStop":
        return self.model_copy(update={"access_code": ""})


class Finding(Record):
    """One reason, and the field of the form that it is about."""

    code: str
    field: str = ""


def window_of(start_at: datetime | None, end_at: datetime | None) -> DeliveryWindow | None:
    """None where either is missing, or they are the wrong way round."""
    if start_at is None or end_at is None or start_at >= end_at:
        return None
    return DeliveryWindow(start_at=start_at, end_at=end_at)
