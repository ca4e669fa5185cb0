"""What the hosted service's API answers, field by field: every operation of it that exists here.

Written by hand from its reference (an OpenAPI document and what its clients read), not from our code, so that the two
can be compared. Fields that are not named may be there too. Where ours differs, the line says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict


def _moment(text: str) -> str:
    assert datetime.fromisoformat(text).tzinfo, "a time without a zone"
    return text


Moment = Annotated[str, AfterValidator(_moment)]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]
PerhapsUrl = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]
PersonaId = Annotated[str, Field(pattern=r"^p[0-9a-z]+$")]
ReplicaId = Annotated[str, Field(pattern=r"^r[0-9a-z]+$")]
ConversationId = Annotated[str, Field(pattern=r"^c[0-9a-f]+$")]
MediaId = Annotated[str, Field(pattern=r"^[0-9a-f]+$")]

BOTH: Mapping[str, str] = {
    "persona_id": "pal_id",
    "persona_name": "pal_name",
    "persona_type": "pal_type",
    "default_replica_id": "default_face_id",
    "replica_id": "face_id",
    "replica_name": "face_name",
    "replica_type": "face_type",
    "replica_interruptibility": "face_interruptibility",
}
"""The two names of one thing: whatever has the one has the other, with the same value."""

EMPTY = None
"""An answer without a body."""


class Failure(TypedDict):
    """The reference has `error` for some and `message` for others; a server for both has both."""

    error: Annotated[str, Field(min_length=1)]
    message: Annotated[str, Field(min_length=1)]


class Unauthorised(TypedDict):
    message: Literal["Invalid access token"]


class BadPatch(TypedDict):
    message: Annotated[str, Field(pattern="^Invalid JSON patch format")]


class BadPersonaId(Failure):
    error: Annotated[str, Field(pattern="^Invalid persona_id")]


class BadReplicaId(Failure):
    error: Annotated[str, Field(pattern="^Invalid replica_id")]


class BadConversationId(Failure):
    error: Annotated[str, Field(pattern="^Invalid conversation_id")]


class BadVideoId(Failure):
    error: Annotated[str, Field(pattern="^Invalid video_id")]


# Personas. The reference wraps a single one in {"data": [...]}; its clients read the fields at the top.


class CreatedPersona(TypedDict):
    persona_id: PersonaId
    persona_name: str
    created_at: Moment


class Perception(TypedDict, total=False):
    perception_model: str
    visual_awareness_queries: list[str]
    visual_tool_prompt: str
    visual_tools: list[dict[str, Any]]
    audio_awareness_queries: list[str]
    audio_tool_prompt: str
    audio_tools: list[dict[str, Any]]


class SpeechToText(TypedDict, total=False):
    stt_engine: str
    hotwords: str


Level = Literal["low", "medium", "high"]


class ConversationalFlow(TypedDict, total=False):
    turn_detection_model: Literal["sparrow-1", "sparrow-0"]
    turn_taking_patience: Level
    replica_interruptibility: Level
    face_interruptibility: Level
    voice_isolation: Literal["off", "near"]
    wake_phrase: str
    idle_engagement: Literal["off", "patient", "eager"]


class LanguageModel(TypedDict, total=False):
    model: str
    base_url: Url
    api_key: Literal["********"]
    speculative_inference: bool
    tools: list[dict[str, Any]]
    headers: dict[str, str]
    extra_body: dict[str, Any]


class TextToSpeech(TypedDict, total=False):
    api_key: Literal["********"]
    tts_engine: str
    external_voice_id: str
    voice_settings: dict[str, Any]
    tts_emotion_control: bool
    tts_model_name: str
    pronunciation_dictionary_id: str


class Layers(TypedDict, total=False):
    perception: Perception
    stt: SpeechToText
    conversational_flow: ConversationalFlow
    llm: LanguageModel
    tts: TextToSpeech


class Persona(TypedDict):
    persona_id: PersonaId
    persona_name: str
    system_prompt: str
    default_replica_id: ReplicaId | None  # ours: null where the persona names none
    document_ids: list[str]
    document_tags: list[str]
    layers: Layers
    created_at: Moment
    updated_at: Moment


class Personas(TypedDict):
    data: list[Persona]
    total_count: int


# Replicas.


class CreatedReplica(TypedDict):
    replica_id: ReplicaId
    status: Literal["started", "completed", "error"]


class Replica(TypedDict):
    replica_id: ReplicaId
    replica_name: str
    thumbnail_video_url: Url | None  # ours: null in training
    training_progress: Annotated[str, Field(pattern=r"^\d{1,3}/100$")]
    status: Literal["started", "completed", "error"]
    created_at: Moment
    updated_at: Moment
    error_message: str | None
    replica_type: NotRequired[Literal["user", "system"]]  # only verbose
    model_name: str


class Replicas(TypedDict):
    data: list[Replica]
    total_count: int


class Tag(TypedDict):
    tag_name: str


class Voice(TypedDict):
    voice_name: str
    replica_id: ReplicaId
    audio_url: Url | None
    tags: list[Tag]


class Voices(TypedDict):
    data: list[Voice]
    total_count: int
    page: int
    limit: int


# Conversations.

Status = Literal["active", "ended"]


class CreatedConversation(TypedDict):
    conversation_id: ConversationId
    conversation_name: str
    conversation_url: Url
    status: Status
    callback_url: PerhapsUrl
    created_at: Moment
    meeting_token: NotRequired[str]  # where require_auth is asked for


class ListedConversation(TypedDict):
    conversation_id: ConversationId
    conversation_name: str
    status: Status
    conversation_url: Url
    callback_url: PerhapsUrl
    replica_id: ReplicaId
    persona_id: PersonaId
    created_at: Moment
    updated_at: Moment


class Conversations(TypedDict):
    data: list[ListedConversation]
    total_count: int


class Event(TypedDict):
    """Equal to the webhook, which has the other fields."""

    event_type: str
    timestamp: Moment
    properties: dict[str, Any]
    conversation_id: ConversationId
    webhook_url: PerhapsUrl
    message_type: Literal["system", "application", "conversation"]


class Conversation(ListedConversation):
    events: NotRequired[list[Event]]  # only verbose
    shutdown_reason: NotRequired[str | None]  # only verbose


# Videos and speeches.

MediaStatus = Literal["queued", "generating", "ready", "deleted", "error"]


class CreatedVideo(TypedDict):
    video_id: MediaId
    video_name: str
    status: MediaStatus
    hosted_url: Url
    created_at: Moment


class Said(TypedDict, total=False):
    script: str


class Video(TypedDict):
    video_id: MediaId
    video_name: str
    status: MediaStatus
    data: Said
    download_url: Url | None  # ours: null until the video is ready, like the three others
    hosted_url: Url
    stream_url: Url | None
    status_details: str
    created_at: Moment
    updated_at: Moment
    still_image_thumbnail_url: Url | None
    gif_thumbnail_url: Url | None


class ListedVideo(Video):
    error_details: str | None  # ours: null where nothing went wrong
    background_url: NotRequired[Url]  # ours: never, no web page can be shown behind a replica
    background_source_url: NotRequired[Url]


class Videos(TypedDict):
    data: list[ListedVideo]
    total_count: int


class ReadyVideo(Video):
    """One that is ready has all addresses."""

    status: Literal["ready"]
    download_url: Url
    stream_url: Url
    still_image_thumbnail_url: Url
    gif_thumbnail_url: Url


class CreatedSpeech(TypedDict):
    """Not in the OpenAPI document; from an older page of the reference."""

    speech_id: MediaId
    speech_name: str
    speech_file_url: Url | None  # ours: null until the speech is ready, which may be after this answer


class ReadySpeech(CreatedSpeech):
    status: Literal["ready"]
    speech_file_url: Url


class Tool(TypedDict):
    """The reference gives the fields of the request; its clients read these of the answer."""

    tool_id: Annotated[str, Field(pattern=r"^\w+$")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z_]\w{0,63}$")]
    description: str
    parameters: dict[str, Any]
    origin: Literal["llm", "vision", "audio"]
    on_call: Literal["generate_filler", "static_filler", "silent", "passthrough"]
    on_resolve: Literal["generate_response", "response_in_result", "add_to_context", "fire_and_forget"]
    trigger_type: Literal["in_call", "post_call"]
    tags: list[str]
    delivery: NotRequired[dict[str, Any]]  # ours: tools of the server itself have none


class Tools(TypedDict):
    data: list[Tool]
    total_count: int


class Rule(TypedDict):
    text: str
    pronunciation: str
    type: Literal["alias", "ipa"]
    case_sensitive: bool
    word_boundaries: bool


class ListedDictionary(TypedDict):
    pronunciation_dictionary_id: Annotated[str, Field(pattern=r"^pd_\w+$")]
    name: str
    rules_count: int
    created_at: str
    updated_at: str


class Dictionary(ListedDictionary):
    rules: list[Rule]


class Dictionaries(TypedDict):
    data: list[ListedDictionary]
    total_count: int
    page: int
    limit: int


@dataclass(frozen=True)
class Operation:
    """One operation: the body of each status that it answers with."""

    method: str
    path: str
    answers: Mapping[int, Any]
    ours: Mapping[int, Any] = field(default_factory=dict)
    """Statuses that the reference does not have."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_FORBIDDEN = {403: Failure}
"""For what belongs to the system: templates, the stock replica."""

_BAD_QUERY = {400: Failure}

_DICTIONARIES = "/v2/pronunciation-dictionaries"
_DICTIONARY = "/v2/pronunciation-dictionaries/{dictionary_id}"

OPERATIONS = (
    Operation("POST", "/v2/personas", {200: CreatedPersona, 400: Failure, 401: Unauthorised}),
    Operation("GET", "/v2/personas", {200: Personas, 401: Unauthorised}, _BAD_QUERY),
    Operation("GET", "/v2/personas/{persona_id}", {200: Persona, 400: BadPersonaId, 401: Unauthorised}),
    Operation(
        "PATCH",
        "/v2/personas/{persona_id}",
        {200: Persona, 304: EMPTY, 400: BadPersonaId, 422: BadPatch},
        {401: Unauthorised, **_FORBIDDEN},
    ),
    Operation("DELETE", "/v2/personas/{persona_id}", {204: EMPTY, 400: BadPersonaId, 401: Unauthorised}, _FORBIDDEN),
    Operation("POST", "/v2/personas/{persona_id}/tools", {200: Any, 404: Failure}),
    Operation("GET", "/v2/personas/{persona_id}/tools", {200: Tools, 400: BadPersonaId}),
    Operation("DELETE", "/v2/personas/{persona_id}/tools/{tool_id}", {204: EMPTY, 404: Failure}),
    Operation("POST", "/v2/tools", {200: Tool, 400: Failure}),
    Operation("GET", "/v2/tools", {200: Tools}, _BAD_QUERY),
    Operation("GET", "/v2/tools/{tool_id}", {200: Tool, 404: Failure}),
    Operation("PATCH", "/v2/tools/{tool_id}", {200: Tool, 400: Failure, 404: Failure}),
    Operation("DELETE", "/v2/tools/{tool_id}", {204: EMPTY, 404: Failure}),
    Operation("POST", _DICTIONARIES, {201: Dictionary, 400: Failure, 401: Unauthorised}),
    Operation("GET", _DICTIONARIES, {200: Dictionaries, 401: Unauthorised}, _BAD_QUERY),
    Operation("GET", _DICTIONARY, {200: Dictionary, 401: Unauthorised, 404: Failure}),
    Operation(
        "PATCH",
        _DICTIONARY,
        {200: Dictionary, 304: EMPTY, 400: Failure, 401: Unauthorised, 404: Failure, 422: BadPatch},
    ),
    Operation("DELETE", _DICTIONARY, {204: EMPTY, 401: Unauthorised, 404: Failure}),
    Operation("POST", "/v2/replicas", {200: CreatedReplica, 400: Failure, 401: Unauthorised}),
    Operation("GET", "/v2/replicas", {200: Replicas, 401: Unauthorised}, _BAD_QUERY),
    Operation("GET", "/v2/replicas/{replica_id}", {200: Replica, 400: BadReplicaId, 401: Unauthorised}),
    Operation("DELETE", "/v2/replicas/{replica_id}", {200: Any, 400: BadReplicaId, 401: Unauthorised}, _FORBIDDEN),
    Operation("PATCH", "/v2/replicas/{replica_id}/name", {200: Any, 400: BadReplicaId, 401: Unauthorised}, _FORBIDDEN),
    Operation("GET", "/v2/voices", {200: Voices, 401: Unauthorised}, _BAD_QUERY),
    Operation("POST", "/v2/conversations", {200: CreatedConversation, 400: Failure, 401: Unauthorised}),
    Operation("GET", "/v2/conversations", {200: Conversations, 401: Unauthorised}, _BAD_QUERY),
    Operation(
        "GET",
        "/v2/conversations/{conversation_id}",
        {200: Conversation, 400: BadConversationId, 401: Unauthorised},
    ),
    Operation("DELETE", "/v2/conversations/{conversation_id}", {204: EMPTY, 400: BadConversationId, 401: Unauthorised}),
    Operation(
        "POST", "/v2/conversations/{conversation_id}/end", {200: EMPTY, 400: BadConversationId, 401: Unauthorised}
    ),
    Operation("POST", "/v2/videos", {200: CreatedVideo, 400: BadReplicaId, 401: Unauthorised}),
    Operation("GET", "/v2/videos", {200: Videos, 401: Unauthorised}, _BAD_QUERY),
    Operation("GET", "/v2/videos/{video_id}", {200: Video, 400: BadVideoId, 401: Unauthorised}),
    Operation("DELETE", "/v2/videos/{video_id}", {200: Any, 400: BadVideoId, 401: Unauthorised}),
    Operation("PATCH", "/v2/videos/{video_id}/name", {200: Any, 400: BadVideoId, 401: Unauthorised}),
    Operation("POST", "/v2/speech", {200: CreatedSpeech, 400: BadReplicaId, 401: Unauthorised}),
)

NOT_HERE_YET = (
    *(f"{method} /v2/{path}" for path in ("lipsync", "replacements", "transcriptions") for method in ("POST", "GET")),
    *(
        f"{method} /v2/{path}/x1"
        for path in ("lipsync", "replacements", "transcriptions")
        for method in ("GET", "DELETE")
    ),
    *(f"{method} /v2/{path}" for path in ("objectives", "guardrails", "documents") for method in ("POST", "GET")),
    *(
        f"{method} /v2/{path}/x1"
        for path in ("objectives", "guardrails", "documents")
        for method in ("GET", "PATCH", "DELETE")
    ),
    "POST /v2/objectives/validate",
    "GET /v2/guardrails/tags",
    "GET /v2/documents/tags",
    "GET /v2/documents/x1/chunks",
    "POST /v2/documents/x1/recrawl",
    "DELETE /v2/memories/store/x1",
    "GET /v2/memory-stores",
    "GET /v2/skills",
    "GET /v2/pals/pdemo/skills/",
    "PUT /v2/pals/pdemo/skills/internet_search",
    "POST /v2/pals/pdemo/publish",
    "POST /v2/deployments",
    "GET /v2/deployments",
    "GET /v2/deployments/x1/init",
    "GET /v2/builder",
    "POST /v2/builder/x1/publish",
    "POST /v2/conversations/persona-builder/headless",
    "POST /v2/conversations/c1/canvas/interactions",
)
"""Operations of resources that this version does not have."""


def operation(method: str, path: str) -> Operation | None:
    """The operation that a request in either vocabulary is for."""
    parts = path.replace("/v2/pals", "/v2/personas", 1).replace("/v2/faces", "/v2/replicas", 1).rstrip("/").split("/")
    return next((one for one in OPERATIONS if one.method == method and _fits(one.path.split("/"), parts)), None)


def _fits(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    return len(wanted) == len(parts) and all(
        want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)
    )
