"""What a client's system receives, and the headers that prove whose it is.

Source: the Standard Webhooks specification: `webhook-id`, `webhook-timestamp` and `webhook-signature`, HMAC-SHA256
over `id.timestamp.body`, one signature per secret in force, separated by blanks.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from standardwebhooks.webhooks import Webhook

from connectors.hand_over import EventPost


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    timestamp: AwareDatetime
    """When it happened, not when it is sent."""
    data: Mapping[str, Any]


def body_of(event: EventPost) -> str:
    """The same for every try."""
    return Payload(type=event.kind, timestamp=event.occurred_at, data=event.data).model_dump_json()


def headers_of(event: EventPost, body: str, sent_at: datetime) -> dict[str, str]:
    signatures = (Webhook(secret).sign(event.event_id, sent_at, body) for secret in event.secrets)
    return {
        "content-type": "application/json",
        "user-agent": "Doorline-Webhooks/1",
        "webhook-id": event.event_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
