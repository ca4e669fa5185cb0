"""What answers look like, for the OpenAPI document. Every object may have further fields, such as clients sent them."""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Shape(BaseModel):
    """A JSON object of an answer."""

    model_config = ConfigDict(extra="allow")


class Listed(Shape, Generic[T]):
    """A page of a list, and how many there are on all pages."""

    data: list[T]
    total_count: int


class CreatedPersona(Shape):
    """A new persona; `warnings` are its fields that this server does not act on yet."""

    persona_id: str
    pal_id: str
    persona_name: str
    pal_name: str
    created_at: str
    warnings: list[str]


class CheckedPersona(Shape):
    """A persona that could be made; `warnings` are its fields that this server does not act on yet."""

    valid: Literal[True]
    warnings: list[str]


class ShownPersona(Shape):
    """A persona, complete; secrets are `********`."""

    persona_id: str
    pal_id: str
    persona_name: str
    pal_name: str
    persona_type: Literal["user", "system"]
    system_prompt: str
    pipeline_mode: Literal["full", "echo", "speech-to-speech"]
    context: str
    greeting: str
    default_replica_id: str | None
    default_face_id: str | None
    document_ids: list[str]
    document_tags: list[str]
    layers: dict[str, Any]
    created_at: str
    updated_at: str


class CreatedReplica(Shape):
    """A replica that will be trained, or was uploaded; `warnings` are fields of the request that change nothing."""

    replica_id: str
    face_id: str
    replica_name: str
    face_name: str
    status: Literal["started", "completed"]
    training_progress: str


class Remark(Shape):
    """Something in a picture that is not as it should be; with `must` a training would refuse it."""

    about: Literal["person", "size", "place", "angle", "light"]
    text: str
    must: bool


class CheckedPicture(Shape):
    """What a camera shows. `box` is left, top, right and bottom of the face in pixels, null without one."""

    width: int
    height: int
    faces: int
    box: list[float] | None
    brightness: float
    remarks: list[Remark]


class ShownReplica(Shape):
    """A replica; `replica_type` is left out of lists that are not verbose.

    `thumbnail_video_url` is a short film of it. `error_type` is one word for what went wrong in its training.
    """

    replica_id: str
    face_id: str
    replica_name: str
    face_name: str
    replica_type: Literal["user", "system"] | None = None
    status: Literal["started", "completed", "error"]
    training_progress: str
    thumbnail_video_url: str | None
    model_name: str
    error_type: str | None
    error_message: str | None
    created_at: str
    updated_at: str


class ListedConversation(Shape):
    """A conversation in a list."""

    conversation_id: str
    conversation_name: str
    conversation_url: str
    status: Literal["active", "ended"]
    callback_url: str
    persona_id: str | None
    pal_id: str | None
    replica_id: str | None
    face_id: str | None
    created_at: str
    updated_at: str
    started_at: str | None = None
    """When somebody joined first."""
    ended_at: str | None = None


class CreatedConversation(ListedConversation):
    """A new conversation; `warnings` are fields that this server does not act on yet."""

    meeting_token: str | None = None
    warnings: list[str]


class ShownConversation(Shape):
    """A conversation. Without a key only what the call's page shows; `verbose` adds the fields of the request."""

    conversation_id: str
    conversation_name: str
    status: Literal["active", "ended"]
    persona: dict[str, Any]
    replica: dict[str, Any]
    in_call: bool
    require_auth: bool
    audio_only: bool
    green_screen: bool
    sees: bool
    ice_servers: list[dict[str, str]]
    conversation_url: str | None = None
    callback_url: str | None = None
    persona_id: str | None = None
    replica_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    shutdown_reason: str | None = None
    events: list[dict[str, Any]] | None = None
    properties: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class Transcript(Shape):
    """Who said what."""

    conversation_id: str
    transcript: list[dict[str, Any]]


class Latency(Shape):
    """The waterfalls of a conversation's turns."""

    conversation_id: str
    turns: list[dict[str, Any]]
    utterance_to_utterance_p50_ms: float | None
    utterance_to_utterance_p95_ms: float | None


class ShownUsage(Shape):
    """What was used in a span of time."""

    start: str
    end: str
    conversation_minutes: float
    usage: dict[str, dict[str, float]]
    days: list[dict[str, Any]] | None = None


class ShownLimits(Shape):
    """What a key may do, null where nothing limits it, and what the server can."""

    requests_per_minute: int | None
    max_conversations: int | None
    active_conversations: int
    server: dict[str, Any]


class Voice(Shape):
    """A voice."""

    voice_name: str
    replica_id: str
    face_id: str
    audio_url: str | None
    tags: list[dict[str, str]]
