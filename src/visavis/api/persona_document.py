"""A persona as clients send it and as it is stored: what every field may be.

The fields are those of the hosted service's API, so that its clients can create their personas here; which of them
this server acts on is said by `visavis.api.personas.runnable`. Fields that are not named here are kept as they are.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from visavis.api.bodies import Body
from visavis.conversation import engagement, patience
from visavis.conversation.persona import Interruptibility

Id = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(max_length=200)]
Ids = Annotated[list[Id], Field(max_length=200)]
Queries = Annotated[list[Annotated[str, Field(max_length=2_000)]], Field(max_length=100)]
Prompt = Annotated[str, Field(max_length=100_000)]
Objects = Annotated[list[dict[str, Any]], Field(max_length=100)]


class Layer(BaseModel):
    """One layer's settings. Every field may be left out."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)


class PerceptionLayer(Layer):
    """What the persona sees and hears besides words."""

    perception_model: Annotated[str, Field(max_length=100, examples=["off"])] | None = None
    visual_awareness_queries: Queries | None = None
    visual_tool_prompt: Prompt | None = None
    visual_tools: Objects | None = None
    audio_awareness_queries: Queries | None = None
    audio_tool_prompt: Prompt | None = None
    audio_tools: Objects | None = None
    perception_analysis_queries: Queries | None = None
    emotion_recognition: Literal["full", "limited", "auto"] | None = None


class SpeechToTextLayer(Layer):
    """How the person's words are recognised, and the older names of two turn settings."""

    stt_engine: Annotated[Name, Field(examples=["openai"])] | None = None
    stt_model_name: Name | None = None
    base_url: Annotated[str, Field(max_length=2_000)] | None = None
    api_key: Annotated[str, Field(max_length=4_000)] | None = None
    language: Annotated[str, Field(max_length=20)] | None = None
    hotwords: Annotated[str, Field(max_length=10_000)] | None = None
    participant_pause_sensitivity: patience.Sensitivity | None = None
    participant_interrupt_sensitivity: patience.Sensitivity | None = None
    smart_turn_detection: bool | None = None


class ConversationalFlowLayer(Layer):
    """How the persona takes turns."""

    turn_detection_model: Annotated[Name, Field(examples=["sparrow-1"])] | None = None
    turn_detector: (
        Annotated[
            dict[str, Any],
            Field(description="With turn_detection_model hook or a plugin: where it is (base_url), and its options."),
        ]
        | None
    ) = None
    turn_taking_patience: patience.Level | None = None
    replica_interruptibility: Interruptibility | None = None
    voice_isolation: Literal["off", "near"] | None = None
    wake_phrase: Annotated[str, Field(max_length=100)] | None = None
    sleep_phrase: Annotated[str, Field(max_length=100)] | None = None
    idle_engagement: engagement.Level | None = None
    greeting_interruptible: bool | None = None
    openers: bool | None = None
    speculation: bool | None = None
    active_listening: bool | None = None


class LanguageModelLayer(Layer):
    """A language model instead of the built-in one: `base_url` and `model`."""

    model: Name | None = None
    base_url: Annotated[str, Field(max_length=2_000, examples=["https://api.example.com/v1"])] | None = None
    api_key: Annotated[str, Field(max_length=4_000, description="Never shown again: it comes back as `********`.")] | (
        None
    ) = None
    llm_engine: Name | None = None
    speculative_inference: bool | None = None
    tools: Objects | None = None
    headers: dict[str, str] | None = None
    default_query: dict[str, str] | None = None
    extra_body: dict[str, Any] | None = None
    api: Literal["chat_completions", "responses"] | None = None
    vision: Annotated[bool, Field(description="The model takes pictures: it sees the person's screen or camera.")] | (
        None
    ) = None
    disable_vision: bool | None = None


class TextToSpeechLayer(Layer):
    """The voice."""

    tts_engine: Annotated[Name, Field(examples=["openai"])] | None = None
    base_url: Annotated[str, Field(max_length=2_000)] | None = None
    pronunciations: dict[str, str] | None = None
    external_voice_id: Id | None = None
    voice_id: Id | None = None
    api_key: Annotated[str, Field(max_length=4_000)] | None = None
    voice_settings: dict[str, Any] | None = None
    tts_emotion_control: bool | None = None
    tts_model_name: Name | None = None
    pronunciation_dictionary_id: (
        Annotated[str, Field(max_length=100, description="One of `/v2/pronunciation-dictionaries`.")] | None
    ) = None


class SpeechToSpeechLayer(Layer):
    """A model that hears and speaks, for `pipeline_mode` `speech-to-speech`: `base_url` and `model`."""

    sts_engine: Annotated[Name, Field(examples=["openai"])] | None = None
    base_url: Annotated[str, Field(max_length=2_000, examples=["https://api.openai.com/v1"])] | None = None
    model: Annotated[Name, Field(examples=["gpt-realtime-2.1"])] | None = None
    api_key: Annotated[str, Field(max_length=4_000)] | None = None
    voice: Name | None = None
    speed: float | None = None
    turn_detection: Literal["server_vad", "semantic_vad"] | None = None
    transcription_model: Name | None = None
    language: Annotated[str, Field(max_length=20)] | None = None
    session: dict[str, Any] | None = None
    headers: dict[str, str] | None = None
    default_query: dict[str, str] | None = None


class PersonaLayersBody(Layer):
    """Engines and manners. Layers that are not named here (transport, knowledge_base, ...) are kept."""

    perception: PerceptionLayer | None = None
    stt: SpeechToTextLayer | None = None
    conversational_flow: ConversationalFlowLayer | None = None
    llm: LanguageModelLayer | None = None
    tts: TextToSpeechLayer | None = None
    sts: SpeechToSpeechLayer | None = None
    transport: Layer | None = None


class PersonaFields(Body):
    """The fields of a persona, all of them optional: what `overrides` of a conversation may hold."""

    persona_name: Annotated[str, Field(min_length=1, max_length=200, examples=["Ines"])] | None = None
    system_prompt: (
        Annotated[str, Field(max_length=100_000, examples=["You are Ines, a cheerful guide at the Harbour Museum."])]
        | None
    ) = None
    description: Annotated[str, Field(max_length=2_000)] | None = None
    pipeline_mode: Literal["full", "echo", "speech-to-speech"] | None = None
    context: Prompt | None = None
    greeting: Annotated[str, Field(max_length=4_000, examples=["Welcome! What would you like to see?"])] | None = None
    default_replica_id: Annotated[Id, Field(examples=["rmira"])] | None = None
    document_ids: Ids | None = None
    document_tags: Ids | None = None
    objectives_id: Id | None = None
    guardrails_id: Id | None = None
    guardrail_ids: Ids | None = None
    guardrail_tags: Ids | None = None
    tool_ids: Annotated[list[Id], Field(max_length=50)] | None = None
    memories: Annotated[list[Any], Field(max_length=200)] | None = None
    is_template: bool | None = None
    languages: Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=50)] | None = None
    layers: PersonaLayersBody | None = None


class PersonaBody(PersonaFields):
    """Body of `POST /v2/personas`; `pal_name`, `default_face_id` and so on mean the same."""


def with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """A persona's document: the fields that were given, completed, so that every layer can be patched."""
    layers = {name: _without_nulls(layer) for name, layer in (given.get("layers") or {}).items() if layer is not None}
    flow = {
        "turn_taking_patience": "medium",
        "replica_interruptibility": "medium",
        "idle_engagement": "off",
    } | layers.get("conversational_flow", {})
    empty: dict[str, Any] = {"perception": {}, "stt": {}, "llm": {}, "tts": {}}
    return {
        "persona_name": "",
        "system_prompt": "",
        "pipeline_mode": "full",
        "context": "",
        "greeting": "",
        "default_replica_id": None,
        "document_ids": [],
        "document_tags": [],
        **given,
        "layers": empty | layers | {"conversational_flow": flow},
    }


def _without_nulls(layer: Any) -> Any:
    return {name: value for name, value in layer.items() if value is not None} if isinstance(layer, Mapping) else layer
