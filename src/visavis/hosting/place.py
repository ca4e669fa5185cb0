"""Where calls run: in this process or in a worker. Both look the same from outside; this file is the interface."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from visavis.hosting.plan import Plan
from visavis.transport import Call

Answer = Callable[[str], Awaitable[tuple[Call, str]]]
"""Turns an SDP offer into a call and the SDP answer."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a conversation, as its JSON object."""

    conversation_id: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallOver:
    """A call that had been answered is over."""

    conversation_id: str
    left: bool
    """The person said goodbye, rather than being lost."""
    failed_step: str | None = None
    """What broke, if the conversation cannot go on; as in `shutdown.internal_error`."""


Report = Happened | CallOver
Tell = Callable[[Report], None]
"""Takes reports, in order; must not block."""


class Place(Protocol):
    """Runs conversations, each from its first message or call until `end`."""

    async def connect(self, plan: Plan, sdp_offer: str) -> str:
        """Connect a person; returns the SDP answer.

        Raises `ConversationTakenError`, what the engines raise when they cannot start, and `BadInputError` for an
        unusable offer.
        """
        ...

    async def interact(self, plan: Plan, message: Mapping[str, Any]) -> None:
        """Give a conversation a message of the interactions protocol, at once or when somebody has joined."""
        ...

    async def farewell(self, conversation_id: str, text: str) -> None:
        """Have the replica say `text`, whatever the person does; returns when it was heard or nobody is there."""
        ...

    async def end(self, conversation_id: str, reason: str) -> None:
        """End a conversation: its page is told the reason, its call hung up. Unknown ones are none of its business."""
        ...
