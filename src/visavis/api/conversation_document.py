"""The body of `POST /v2/conversations`: what every field may be."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from visavis.api.bodies import Body
from visavis.api.persona_document import Id, Ids, Name, PersonaFields

LONGEST_S = 86_400.0
"""Longer `max_call_duration` is cut to a day."""

MOST_PARTICIPANTS = 10
"""Larger `max_participants` are cut to this: every person's picture is encoded for them alone."""

_Timeout = Annotated[float, Field(le=604_800)]
_Url = Annotated[str, Field(max_length=2_000)]
_ENGLISH = ("english", "en", "en-us", "en-gb")
_LATER = {
    "enable_recording": "recordings are not made yet",
    "recording_storage": "recordings are not made yet",
    "recording_s3_bucket_name": "recordings are not made yet",
    "livekit_ws_url": "joining a LiveKit room is not possible yet; the call is at conversation_url",
}


class RecordingStorage(BaseModel):
    """Where recordings go."""

    model_config = ConfigDict(extra="allow")

    provider: Literal["s3", "gcs", "azure_blob"]


class ConversationProperties(BaseModel):
    """Limits and manners of one conversation; times in seconds."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    max_call_duration: Annotated[
        float, Field(gt=0, description="From the moment the person joins; at most a day.", examples=[600])
    ] = 3600
    participant_left_timeout: Annotated[
        _Timeout, Field(ge=0, description="How long an empty call waits for the person to come back.")
    ] = 0
    participant_absent_timeout: Annotated[
        _Timeout, Field(gt=0, description="How long a new conversation waits for somebody to join.")
    ] = 300
    enable_recording: bool | None = None
    enable_closed_captions: bool | None = None
    apply_greenscreen: Annotated[bool | None, Field(description="Show the replica on RGB (0, 255, 155).")] = None
    require_auth: bool | None = None
    language: Annotated[str | None, Field(max_length=100, examples=["english"])] = None
    languages: Annotated[list[Name] | None, Field(max_length=50)] = None
    recording_storage: RecordingStorage | None = None
    recording_s3_bucket_name: Name | None = None
    recording_s3_bucket_region: Name | None = None
    aws_assume_role_arn: Name | None = None
    livekit_ws_url: _Url | None = None
    livekit_room_token: Annotated[str | None, Field(max_length=10_000)] = None


class ConversationBody(Body):
    """Everything is optional: without any field, the server's own persona waits in the call."""

    replica_id: Annotated[Id | None, Field(description="Instead of the persona's own.", examples=["rmira"])] = None
    persona_id: Annotated[Id | None, Field(description="Without one: this server's own.", examples=["ptutor"])] = None
    conversation_name: Name | None = None
    callback_url: Annotated[_Url | None, Field(description="Gets this conversation's events.")] = None
    conversational_context: Annotated[
        str | None, Field(max_length=100_000, description="Facts for this conversation, after the persona's own.")
    ] = None
    custom_greeting: Annotated[str | None, Field(max_length=4_000, examples=["Welcome back, Ana."])] = None
    audio_only: bool | None = None
    memory_stores: Ids | None = None
    document_ids: Ids | None = None
    document_tags: Ids | None = None
    document_retrieval_strategy: Literal["speed", "balanced", "quality"] | None = None
    test_mode: Annotated[bool | None, Field(description="Make the record only: nobody can join.")] = None
    require_auth: Annotated[bool | None, Field(description="Only who has the meeting_token may join.")] = None
    max_participants: Annotated[
        int | None,
        Field(
            ge=2,
            le=1_000,
            description="The replica counts as one. Without it, one person at a time; at most ten.",
            examples=[3],
        ),
    ] = None
    chat: Annotated[bool | None, Field(description="Text only.")] = None
    meeting_url: _Url | None = None
    policy: Name | None = None
    properties: ConversationProperties | None = None
    overrides: Annotated[
        PersonaFields | None,
        Field(
            description="Changes to the persona for this conversation only, in the shape of a persona.",
            examples=[{"layers": {"conversational_flow": {"turn_taking_patience": "high"}}}],
        ),
    ] = None
    metadata: Annotated[
        dict[str, Any] | None,
        Field(description="Yours: told to the language model, repeated in webhooks.", examples=[{"plan": "gold"}]),
    ] = None


def warnings(given: dict[str, Any]) -> list[str]:
    """Which of a request's fields are kept without this server acting on them yet, one line each."""
    found = [
        f"{name}: {what} are not available yet"
        for name, what in (("memory_stores", "memories"), ("document_ids", "documents"), ("document_tags", "documents"))
        if given.get(name)
    ]
    if given.get("max_participants", 2) > MOST_PARTICIPANTS:
        found.append(f"max_participants: this server takes {MOST_PARTICIPANTS} at most, the replica among them")
    if given.get("meeting_url"):
        found.append("meeting_url: joining other meetings is not possible; the call is at conversation_url")
    properties = given.get("properties") or {}
    found += [f"properties.{name}: {text}" for name, text in _LATER.items() if properties.get(name)]
    language = properties.get("language")
    if language and language.lower() not in _ENGLISH:
        found.append(f"properties.language: {language!r}: the built-in engines speak English only")
    found += [
        f"{name}: not known to this server; kept without effect"
        for name in given
        if name not in ConversationBody.model_fields
    ]
    return found
