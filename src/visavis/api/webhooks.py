"""`/v2/webhooks/deliveries`: what was sent to callbacks, what waits, what was given up; send it again."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from visavis.api import pagination
from visavis.api.answers import FromStore, errors, moment, shown
from visavis.api.background import FromBackground
from visavis.api.media_shapes import ShownDelivery
from visavis.api.shapes import Listed
from visavis.store.webhooks import Delivery

router = APIRouter(prefix="/v2/webhooks/deliveries", tags=["webhooks"])

_UNKNOWN = {404: "There is no webhook delivery 'w0123'."}
_SHOWN = {
    "delivery_id": "w0123456789ab",
    "status": "dead",
    "event_type": "system.shutdown",
    "conversation_id": "c0123456789abcdef0123",
    "url": "https://example.com/hook",
    "attempts": 10,
    "last_error": "answered 503: try later",
    "created_at": "2026-11-01T10:00:00Z",
    "next_attempt_at": None,
    "finished_at": "2026-11-02T03:12:00Z",
}


@router.get("", responses=shown(Listed[ShownDelivery], {"data": [_SHOWN], "total_count": 1}))
async def list_deliveries(
    store: FromStore,
    page: pagination.FromOne,
    status: Annotated[
        Literal["pending", "delivered", "dead"], Query(description="dead: given up after the last attempt.")
    ] = "dead",
) -> dict[str, Any]:
    """Messages of one status, newest first; those that were delivered are kept for a week."""
    found = await store.webhooks.page(status=status, limit=page.limit, offset=page.offset)
    return {"data": [_described(one) for one in found.items], "total_count": found.total}


@router.get("/{delivery_id}", responses=shown(ShownDelivery, _SHOWN | {"body": {}}) | errors(_UNKNOWN))
async def get_delivery(store: FromStore, delivery_id: str) -> dict[str, Any]:
    """One message with its body."""
    found = await store.webhooks.get(delivery_id)
    return _described(found) | {"body": found.body}


@router.post("/{delivery_id}/replay", responses=shown(ShownDelivery, _SHOWN) | errors(_UNKNOWN))
async def replay_delivery(store: FromStore, background: FromBackground, delivery_id: str) -> dict[str, Any]:
    """Send a message again, from the first attempt. It has the same `visavis-delivery` header as before."""
    again = await store.webhooks.replay(delivery_id)
    if background:
        background.webhooks.wake()
    return _described(again)


def _described(found: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": found.delivery_id,
        "status": found.status,
        "event_type": found.event_type,
        "conversation_id": found.conversation_id,
        "url": found.url,
        "attempts": found.attempts,
        "last_error": found.last_error,
        "created_at": moment(found.created_at),
        "next_attempt_at": moment(found.due_at) if found.status == "pending" else None,
        "finished_at": moment(found.finished_at),
    }
