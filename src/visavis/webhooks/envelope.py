"""What a webhook receives: an event in its envelope, as the hosted service sends it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from visavis.store.webhooks import NewDelivery


def message(
    url: str,
    event_type: str,
    properties: Mapping[str, Any],
    *,
    conversation_id: str | None = None,
    at: datetime | None = None,
    **more: Any,
) -> NewDelivery:
    """The message that tells `url` of an event, to be stored together with the fact itself.

    `message_type` is the first part of `event_type`; `more` fields (such as `metadata`) stand beside `properties`.
    """
    moment = at or datetime.now(UTC)
    body: dict[str, Any] = {
        "properties": dict(properties),
        "conversation_id": conversation_id,
        "webhook_url": url,
        "event_type": event_type,
        "message_type": event_type.partition(".")[0],
        "timestamp": moment.isoformat().replace("+00:00", "Z"),
        **more,
    }
    return NewDelivery(url, event_type, body, conversation_id)
