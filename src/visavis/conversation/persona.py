"""Who speaks: the part of a persona that a conversation needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from visavis.conversation import engagement, patience
from visavis.errors import BadInputError
from visavis.layers.plugins import Plugin
from visavis.layers.settings import (
    FasterWhisperSettings,
    GeminiLiveSettings,
    KokoroSettings,
    LanguageModelSettings,
    RealtimeSettings,
    SpeechSettings,
    TranscriptionSettings,
    TurnHookSettings,
)
from visavis.layers.tools.built_in import SystemTool
from visavis.layers.tools.description import ToolDescription
from visavis.layers.tools.mcp import McpServer
from visavis.layers.tts.dictionary import MOST_RULES, Rule
from visavis.layers.tts.stock_voices import VOICE_NAMES

Interruptibility = Literal["low", "medium", "high"]

PipelineMode = Literal["full", "echo", "speech-to-speech"]


class ConversationalFlow(BaseModel):
    """How this persona takes turns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn_taking_patience: patience.Level = Field(
        "medium", description="How long a pause may be before it is taken for the end: low answers soonest."
    )
    replica_interruptibility: Interruptibility = Field(
        "medium", description="How easily voice stops the replica: low waits for words, high for hardly a sound."
    )
    greeting_interruptible: bool = Field(True, description="Whether the person may speak into the greeting.")
    wake_phrase: str = Field("", max_length=100, description="Words that wake a sleeping replica.")
    sleep_phrase: str = Field("", max_length=100, description="Words after which it no longer answers.")
    idle_engagement: engagement.Level = Field(
        "off", description="Whether it speaks up when nobody does: patient after 25 s, eager after 10 s."
    )
    openers: bool = Field(True, description='Whether it begins with a short "well," when the reply takes long.')
    speculation: bool = Field(
        True, description="Whether replies are prepared before the person has finished; costs a vendor's tokens."
    )
    active_listening: bool = Field(True, description="Whether it nods at the ends of phrases while it listens.")
    turn_hook: TurnHookSettings | None = Field(
        None, description="A server that judges whether the person has finished, instead of the built-in judgement."
    )
    turn_plugin: Plugin | None = Field(None, description="A judge from another package, instead.")


class Listening(BaseModel):
    """Who recognises the words; and the older names of some turn settings, which count where they are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    participant_pause_sensitivity: patience.Sensitivity | None = None
    participant_interrupt_sensitivity: patience.Sensitivity | None = None
    openai: TranscriptionSettings | None = Field(
        None, description="A recogniser behind OpenAI's protocol for the final texts, instead of the built-in one."
    )
    whisper: FasterWhisperSettings | None = Field(None, description="Whisper on this machine, for the final texts.")
    plugin: Plugin | None = Field(None, description="A recogniser from another package.")


class Perceiving(BaseModel):
    """What this persona sees, and what is asked about it; the names are those of the API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    perception_model: str = Field("auto", max_length=100, description="off is blind; anything else sees.")
    visual_awareness_queries: tuple[str, ...] = Field((), description="Asked of the picture all the time.")
    visual_tool_prompt: str = Field("", max_length=100_000, description="When to use the visual tools.")
    visual_tools: tuple[ToolDescription, ...] = Field((), max_length=100, description="Called for what is seen.")
    audio_awareness_queries: tuple[str, ...] = Field((), description="Asked of the person's voice all the time.")
    audio_tool_prompt: str = Field("", max_length=100_000, description="When to use the audio tools.")
    audio_tools: tuple[ToolDescription, ...] = Field((), max_length=100, description="Called for how they sound.")
    perception_analysis_queries: tuple[str, ...] = Field((), description="Answered when the conversation is over.")
    plugin: Plugin | None = Field(None, description="Eyes from another package.")

    @property
    def wanted(self) -> bool:
        """Whether it sees."""
        return self.perception_model != "off"


class Speaking(BaseModel):
    """How this persona speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voice: str | None = Field(None, description="A stock voice, instead of the replica's own: see GET /v2/voices.")
    tts_emotion_control: bool = Field(False, description="Whether the language model may choose what is felt.")
    openai: SpeechSettings | None = Field(
        None, description="A voice behind OpenAI's protocol, instead of the replica's own or the built-in one."
    )
    kokoro: KokoroSettings | None = Field(None, description="One of Kokoro's voices, where the server has them.")
    plugin: Plugin | None = Field(None, description="A voice from another package.")
    pronunciations: Mapping[str, Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict, max_length=1_000, description='Words and what is said for them: {"Nguyen": "win"}.'
    )

    pronunciation_rules: tuple[Rule, ...] = Field(
        (), max_length=MOST_RULES, description="The same with phrases: text, pronunciation, type."
    )

    @field_validator("voice")
    @classmethod
    def _known_voice(cls, voice: str | None) -> str | None:
        if voice is not None and voice not in VOICE_NAMES:
            raise ValueError(f"expected one of {', '.join(VOICE_NAMES)}")
        return voice

    @field_validator("pronunciations")
    @classmethod
    def _of_single_words(cls, given: Mapping[str, str]) -> Mapping[str, str]:
        if wrong := next((word for word in given if len(word.split()) != 1), None):
            raise ValueError(f"single words, not {wrong!r}")
        return given


class PersonaLayers(BaseModel):
    """Engines that this persona wants instead of the built-in ones, and how it uses them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    llm: LanguageModelSettings | None = None
    llm_plugin: Plugin | None = Field(None, description="A language model from another package.")
    stt: Listening = Listening()
    tts: Speaking = Speaking()
    sts: RealtimeSettings | None = Field(
        None, description="A voice-to-voice model, for pipeline_mode speech-to-speech."
    )
    sts_gemini: GeminiLiveSettings | None = Field(None, description="One of Google's, instead.")
    sts_plugin: Plugin | None = Field(None, description="One from another package, instead.")
    conversational_flow: ConversationalFlow = ConversationalFlow()
    perception: Perceiving = Perceiving()

    @property
    def speculative(self) -> bool:
        """Whether replies are prepared before the person has finished."""
        return self.conversational_flow.speculation and (self.llm is None or self.llm.speculative_inference)


class Persona(BaseModel):
    """A character and what it knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    persona_name: str = Field(min_length=1, max_length=200)
    pipeline_mode: PipelineMode = Field(
        "full",
        description="full: it listens, thinks and answers; echo: it says only what a client sends; "
        "speech-to-speech: a model that hears and speaks (layers.sts) does all of it.",
    )
    system_prompt: str = Field(
        "", max_length=100_000, validate_default=True, description="Who it is; needed when pipeline_mode is full."
    )
    context: str = Field("", max_length=250_000, description="Facts appended to the prompt.")
    greeting: str = Field("", max_length=4_000, description="Spoken when the person joins.")
    layers: PersonaLayers = Field(PersonaLayers(), validate_default=True)
    tools: tuple[ToolDescription, ...] = Field((), max_length=100, description="What it can do besides talking.")
    mcp_servers: tuple[McpServer, ...] = Field((), max_length=10, description="Servers whose tools it may use as well.")
    system_tools: tuple[SystemTool, ...] = Field(
        (), description="Tools of visavis itself: end_call, current_time, look."
    )

    @field_validator("system_prompt")
    @classmethod
    def _prompt_to_answer_by(cls, prompt: str, info: ValidationInfo) -> str:
        if not prompt and info.data.get("pipeline_mode") == "full":
            raise ValueError("needed when pipeline_mode is 'full'")
        return prompt

    @field_validator("layers")
    @classmethod
    def _somebody_to_speak_with(cls, layers: PersonaLayers, info: ValidationInfo) -> PersonaLayers:
        if info.data.get("pipeline_mode") == "speech-to-speech" and not (
            layers.sts or layers.sts_gemini or layers.sts_plugin
        ):
            raise ValueError("sts is needed when pipeline_mode is 'speech-to-speech' (or sts_gemini, or sts_plugin)")
        return layers


DEMO = Persona(
    persona_name="Mira",
    system_prompt=(
        "You are Mira, a warm and curious host who welcomes people to visavis. "
        "visavis is free software that runs live video conversations with a talking face on an ordinary computer; "
        "it costs nothing, nobody needs an account, and nothing leaves the machine. "
        "People can change your name, your face and what you know by editing a short text file. "
        "You like to ask what the person would build with it."
    ),
    greeting="Hi, I'm Mira. What would you like to talk about?",
)
"""The persona of the link that `visavis serve` prints."""

_OF_A_SERVER = ("persona_id", "description", "default_replica_id")
"""Fields of a file that `visavis persona pull` wrote which are of no use here."""


def load(path: Path) -> Persona:
    """Read a persona from a YAML file.

    Raises `BadInputError` that names the file and the field.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError("persona file", path, f"a readable YAML file ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError("persona file", path, f"valid YAML ({error})") from error
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name not in _OF_A_SERVER}
    try:
        return Persona.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInputError(f"persona file, {field}", path, first["msg"]) from error
