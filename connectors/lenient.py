"""How answers of the routing platforms are read: missing, null and additional fields are tolerated."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Shape = TypeVar("Shape", bound=BaseModel)

log = structlog.get_logger(__name__)


class Lenient(BaseModel):
    """A null is read as an absent field, a field we do not know is dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value


def readable(shape: type[Shape], raw: Any, platform: str) -> list[Shape]:
    """One item of a list, or nothing when it cannot be read: one must not hide all others."""
    try:
        return [shape.model_validate(raw)]
    except ValidationError as exc:
        known_id = str(raw.get("id", "")) if isinstance(raw, dict) else ""
        log.warning(
            "platform_item_unreadable",
            platform=platform,
            shape=shape.__name__,
            item=known_id,
            errors=exc.error_count(),
        )
        return []
