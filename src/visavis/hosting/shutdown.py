"""Why conversations end, in the words of the hosted service where it has any."""

from typing import Final

MAX_CALL_DURATION: Final = "max_call_duration reached"
PARTICIPANT_LEFT: Final = "participant_left_timeout reached"
PARTICIPANT_ABSENT: Final = "participant_absent_timeout reached"
ENDED_BY_REQUEST: Final = "end_conversation_endpoint_hit"
DELETED: Final = "daily_room_has_been_deleted"
"""The hosted service's words for a conversation that was deleted while it was active."""
FAILED_TO_START: Final = "exception_encountered_during_conversation_startup"

REPLICA_SAID_GOODBYE: Final = "end_call_tool"
"""Ours: the persona's tool `end_call` was used."""
SERVER_STOPPED: Final = "server_shutdown"
"""Ours: the server was stopped, after the replica had said goodbye if there was time."""
SERVER_RESTARTED: Final = "server restarted"
"""Ours: the server died during the call and has been started again."""


def internal_error(step: str) -> str:
    """Something broke; `step` is `conversation` (this call's own work) or `worker` (its process died)."""
    return f"internal error occurred at step {step}"
