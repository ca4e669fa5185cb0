"""What the world is told about a conversation as a whole: events of its end, and the bodies of webhooks."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from visavis.hosting.record import Record
from visavis.store.conversations import StoredConversation
from visavis.store.webhooks import NewDelivery
from visavis.webhooks.envelope import message

Json = dict[str, Any]

CALL_EVENTS = frozenset({"system.replica_joined", "system.pal_joined"})
"""Events of a call that webhooks get too, when the person joins for the first time."""


def last_events(row: StoredConversation, record: Record, reason: str) -> list[Json]:
    """What follows when a conversation has ended, numbered after everything else."""
    found: list[tuple[str, str, Json]] = [
        ("system", "system.shutdown", {"replica_id": row.replica_id, "shutdown_reason": reason})
    ]
    if record.transcript:
        found += [
            (
                "application",
                "application.transcription_ready",
                {"replica_id": row.replica_id, "transcript": record.transcript},
            ),
            ("application", "application.latency_ready", {"replica_id": row.replica_id, "turns": record.waterfalls}),
            (
                "application",
                "application.usage_ready",
                {
                    "replica_id": row.replica_id,
                    "conversation_seconds": round(record.connected_s, 3),
                    "language_model": dict(record.tokens),
                },
            ),
        ]
    if record.perception_analysis:
        seen = {"replica_id": row.replica_id, "analysis": record.perception_analysis}
        found.append(("application", "application.perception_analysis", seen))
    return [
        {
            "message_type": message_type,
            "event_type": event_type,
            "conversation_id": row.conversation_id,
            "timestamp": time.time(),
            "seq": record.seq + number,
            "turn_idx": record.turn_idx,
            "properties": properties,
        }
        for number, (message_type, event_type, properties) in enumerate(found, 1)
    ]


def deliveries(row: StoredConversation, happened: Sequence[Mapping[str, Any]]) -> list[NewDelivery]:
    """The webhooks that tell of events; none without a `callback_url`."""
    if not row.callback_url:
        return []
    also = {"metadata": row.metadata} if row.metadata else {}
    return [
        message(
            row.callback_url,
            event["event_type"],
            event.get("properties", {}),
            conversation_id=row.conversation_id,
            at=datetime.fromtimestamp(event["timestamp"], UTC),
            **also,
        )
        for event in happened
    ]
