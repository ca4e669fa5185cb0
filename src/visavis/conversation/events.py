"""Everything a conversation tells the world, as typed messages; what it may be asked is in `interactions`.

The JSON equals the interactions protocol of the hosted service that visavis is compatible with, wherever an event
exists there, in both generations of its names; `conversation.participant_joined`, `conversation.participant_left`,
`conversation.latency`, `conversation.overlap`, `conversation.seeing`, `conversation.tool_outcome`,
`conversation.usage`, `conversation.end_requested`, `conversation.error` and `conversation.ended` are ours.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from visavis.conversation.clock import Clock
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


class ReplicaJoined(Event):
    """The replica has come into the call."""

    message_type: ClassVar[str] = "system"
    event_type: ClassVar[str] = "system.replica_joined"
    replica_id: str | None = None


class PalJoined(Event):
    """The replica has come into the call (the same in the other vocabulary)."""

    message_type: ClassVar[str] = "system"
    event_type: ClassVar[str] = "system.pal_joined"
    face_id: str | None = None


class ReplicaPresent(ReplicaJoined):
    """The replica is in the call and will react."""

    event_type: ClassVar[str] = "system.replica_present"


class PalPresent(PalJoined):
    """The replica is in the call and will react (the same in the other vocabulary)."""

    event_type: ClassVar[str] = "system.pal_present"


class Joined(Event):
    """The person is connected."""

    event_type: ClassVar[str] = "conversation.joined"


class Left(Event):
    """The person is gone, or was lost and may come back."""

    event_type: ClassVar[str] = "conversation.left"


class ParticipantJoined(Event):
    """In a call for several people, one more is there."""

    event_type: ClassVar[str] = "conversation.participant_joined"
    participant_id: str
    participant_count: int
    """How many people are in the call now; the replica is not counted."""


class ParticipantLeft(ParticipantJoined):
    """In a call for several people, one is gone."""

    event_type: ClassVar[str] = "conversation.participant_left"


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
    user_audio_analysis: str | None = None
    """How the person sounded, where something listened for that."""
    user_visual_analysis: str | None = None
    """How the person looked, where something watched for that."""
    interrupted: Literal[True] | None = None


class UtteranceStreaming(Event):
    """A turn so far: `speech` is everything from its start."""

    event_type: ClassVar[str] = "conversation.utterance.streaming"
    role: Role
    speech: str
    content_index: int
    final: bool
    is_interrupted: Literal[True] | None = None


class ToolCall(Event):
    """The language model wants a tool used; `arguments` is JSON text."""

    event_type: ClassVar[str] = "conversation.tool_call"
    name: str
    arguments: str
    tool_call_id: str | None = None


class ToolOutcome(Event):
    """A tool has done its work, or has failed. What it said stays between it and the language model."""

    event_type: ClassVar[str] = "conversation.tool_outcome"
    name: str
    status: Literal["success", "error"]
    duration: float
    """Seconds."""
    tool_call_id: str


class EndRequested(Event):
    """The replica has said goodbye and wants the call to end."""

    event_type: ClassVar[str] = "conversation.end_requested"


class PerceptionToolCall(Event):
    """What was seen or heard of the person wants a tool used."""

    event_type: ClassVar[str] = "conversation.perception_tool_call"
    modality: Literal["vision", "audio"]
    name: str
    arguments: str | dict[str, Any]
    frames: tuple[dict[str, str], ...] | None = None
    """Pictures that led to it: `data` (base64) and `mime_type`, or `uri`."""

    @staticmethod
    def without_frames(message: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event's JSON object as it may be kept: what somebody showed is for who is in the call."""
        if message["event_type"] != PerceptionToolCall.event_type:
            return message
        kept = {name: value for name, value in message["properties"].items() if name != "frames"}
        return {**message, "properties": kept}


class PerceptionAnalysis(Event):
    """What was seen and heard of the person, in words."""

    event_type: ClassVar[str] = "conversation.perception_analysis"
    analysis: str


class Seeing(Event):
    """What the replica can see of the person from now on; the page shows that somebody is being seen.

    `camera` is `off`, `clear`, `dark`, `covered` or `frozen`; `people` how many are in view.
    """

    event_type: ClassVar[str] = "conversation.seeing"
    camera: Literal["off", "clear", "dark", "covered", "frozen"]
    people: int


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


class LanguageModelUsage(Event):
    """What one reply cost, in tokens as the model's server counts them."""

    event_type: ClassVar[str] = "conversation.usage"
    input_tokens: int
    cached_input_tokens: int
    """Of the input, how many the server still knew from before."""
    output_tokens: int
    requests: int
    """To the language model: one, and one for every round of tools."""
    dropped: bool
    """The reply was begun before the person had finished, and nobody heard it."""
    estimated: bool
    """The server did not tell: about four characters a token."""


class ConversationError(Event):
    """Something failed; `message` is for people. The rest is there when a message to us was not usable."""

    event_type: ClassVar[str] = "conversation.error"
    message: str
    field: str | None = None
    """What was wrong in it, for example "properties.text"."""
    value: str | None = None
    expected: str | None = None

    @classmethod
    def of(cls, error: BadInputError) -> "ConversationError":
        """The event that tells a client what was wrong with its message."""
        return cls(message=str(error), field=error.field, value=error.value, expected=error.expected)


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
