"""Everything a conversation tells the world, and everything a page may ask of it, as typed messages.

The JSON equals the interactions protocol of the hosted service that visavis is compatible with, wherever an event
exists there; `conversation.latency`, `conversation.overlap`, `conversation.error`, `conversation.ended` and
`conversation.leave` are ours.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from visavis.conversation.clock import Clock
from visavis.conversation.patience import Sensitivity
from visavis.errors import BadInputError

Role = Literal["user", "replica"]

Listener = Callable[[Mapping[str, Any]], None]
"""Takes an event as its JSON object."""


class Event(BaseModel):
    """Something that happened. The fields of a subclass are the `properties` of its message."""

    model_config = ConfigDict(frozen=True)

    message_type: ClassVar[str] = "conversation"
    event_type: ClassVar[str]

    def properties(self) -> dict[str, Any]:
        """The message's `properties`; optional ones are left out when unset."""
        return self.model_dump(exclude_none=True)


class ReplicaPresent(Event):
    """The replica is in the call and will react."""

    message_type: ClassVar[str] = "system"
    event_type: ClassVar[str] = "system.replica_present"


class StartedSpeaking(Event):
    """`role` began to speak."""

    event_type: ClassVar[str] = "conversation.started_speaking"
    role: Role


class StoppedSpeaking(Event):
    """`role` fell silent after `duration` seconds."""

    event_type: ClassVar[str] = "conversation.stopped_speaking"
    role: Role
    duration: float | None = None
    interrupted: bool = False


class UserStartedSpeaking(Event):
    """The person began to speak (older name of the same moment)."""

    event_type: ClassVar[str] = "conversation.user.started_speaking"


class UserStoppedSpeaking(Event):
    """The person fell silent (older name of the same moment)."""

    event_type: ClassVar[str] = "conversation.user.stopped_speaking"


class ReplicaStartedSpeaking(Event):
    """The replica began to speak (older name of the same moment)."""

    event_type: ClassVar[str] = "conversation.replica.started_speaking"
    duration: float | None = None
    interrupted: bool = False

    def properties(self) -> dict[str, Any]:
        """`duration` is part of this message even while it is unknown."""
        return self.model_dump()


class ReplicaStoppedSpeaking(ReplicaStartedSpeaking):
    """The replica fell silent after `duration` seconds (older name of the same moment)."""

    event_type: ClassVar[str] = "conversation.replica.stopped_speaking"


class Utterance(Event):
    """A whole turn: what the person said, or what was heard of the replica."""

    event_type: ClassVar[str] = "conversation.utterance"
    role: Role
    speech: str
    interrupted: Literal[True] | None = None


class UtteranceStreaming(Event):
    """A turn so far: `speech` is everything from its start."""

    event_type: ClassVar[str] = "conversation.utterance.streaming"
    role: Role
    speech: str
    content_index: int
    final: bool
    is_interrupted: Literal[True] | None = None


class Overlap(Event):
    """The person spoke while the replica did. After `began` one of the others follows.

    With `held` the replica is silent until then. After `backchannel` ("mhm", with its `speech`) and `noise` the
    replica goes on, after `interruption` it stops.
    """

    event_type: ClassVar[str] = "conversation.overlap"
    outcome: Literal["began", "backchannel", "noise", "interruption"]
    held: bool | None = None
    speech: str | None = None


class Latency(Event):
    """The waterfall of one answered turn; `stages` in milliseconds from its first, which was at `began_at` (Unix)."""

    event_type: ClassVar[str] = "conversation.latency"
    utterance_to_utterance_ms: float | None
    began_at: float
    stages: dict[str, float]

    def properties(self) -> dict[str, Any]:
        """The whole time is part of this message even where it is unknown."""
        return self.model_dump()


class ConversationError(Event):
    """Something failed; `message` is for the person."""

    event_type: ClassVar[str] = "conversation.error"
    message: str


class Ended(Event):
    """The conversation is over."""

    event_type: ClassVar[str] = "conversation.ended"
    reason: str


class EventStream:
    """Numbers the events of one conversation and hands them to everybody who listens. Owner of `seq` and `turn_idx`."""

    def __init__(self, conversation_id: str, clock: Clock) -> None:
        self.conversation_id = conversation_id
        self.turn_idx = 0
        """How many turns of the person have been answered."""
        self._clock = clock
        self._seq = 0
        self._listeners: list[Listener] = []

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """Hand every event to `listener` while this lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def emit(self, event: Event, inference_id: str | None = None) -> None:
        """Publish `event`; `inference_id` names the reply that it belongs to."""
        self._seq += 1
        message: dict[str, Any] = {
            "message_type": event.message_type,
            "event_type": event.event_type,
            "conversation_id": self.conversation_id,
            "timestamp": self._clock.unix(),
            "seq": self._seq,
            "turn_idx": self.turn_idx,
        }
        if inference_id:
            message["inference_id"] = inference_id
        if properties := event.properties():
            message["properties"] = properties
        for listener in self._listeners:
            listener(message)


class _Interaction(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Text(_Interaction):
    text: str = Field(min_length=1, max_length=4_000)


class Respond(_Interaction):
    """Answer as if the person had said `text`."""

    event_type: Literal["conversation.respond"]
    properties: _Text


class _EchoText(_Text):
    modality: Literal["text"] = "text"


class Echo(_Interaction):
    """Say exactly this."""

    event_type: Literal["conversation.echo"]
    properties: _EchoText


class Interrupt(_Interaction):
    """Stop speaking."""

    event_type: Literal["conversation.interrupt"]


class _ContextText(_Interaction):
    context: str = Field(max_length=20_000)


class OverwriteContext(_Interaction):
    """Replace the prompt."""

    event_type: Literal["conversation.overwrite_llm_context"]
    properties: _ContextText


class AppendContext(_Interaction):
    """Add to the prompt."""

    event_type: Literal["conversation.append_llm_context"]
    properties: _ContextText


class _Sensitivities(_Interaction):
    participant_pause_sensitivity: Sensitivity | None = None
    participant_interrupt_sensitivity: Sensitivity | None = None


class SetSensitivity(_Interaction):
    """Change how soon pauses end turns, and how easily voice interrupts."""

    event_type: Literal["conversation.sensitivity"]
    properties: _Sensitivities


class Leave(_Interaction):
    """The person leaves."""

    event_type: Literal["conversation.leave"]


Interaction = Respond | Echo | Interrupt | OverwriteContext | AppendContext | SetSensitivity | Leave

_INTERACTION: TypeAdapter[Interaction] = TypeAdapter(Annotated[Interaction, Field(discriminator="event_type")])


def parse_interaction(message: Mapping[str, Any]) -> Interaction:
    """Read a message from the page.

    Raises `BadInputError` that names the field.
    """
    try:
        return _INTERACTION.validate_python(message)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # The first part of a location is the event type that the union was resolved to.
        field = ".".join(str(part) for part in first["loc"][1:]) or "event_type"
        value = first["input"] if field != "event_type" else message.get("event_type")
        expected = first["msg"].removeprefix("Input should be ").lower()
        raise BadInputError(field, value, expected) from error
