"""Everything a conversation may be asked, as typed messages; what it tells is in `events`.

The JSON equals the interactions protocol of the hosted service that visavis is compatible with; only
`conversation.leave` and `conversation.media` are ours. Fields that are not known are left alone: clients send more
than they need to.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from visavis.audio import PLAYOUT_RATE_HZ
from visavis.conversation.patience import Sensitivity
from visavis.errors import BadInputError
from visavis.replica import Emotion

MAX_AUDIO_BYTES = 768 * 1024
"""Of one chunk: 8 s at 48 kHz. Its base64 text is a MiB, which takes a few milliseconds to decode."""

LOWEST_RATE_HZ = 8_000


class _Interaction(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Text(_Interaction):
    text: str = Field(min_length=1, max_length=4_000)


class Respond(_Interaction):
    """Answer as if the person had said `text`."""

    event_type: Literal["conversation.respond"]
    properties: _Text


def _pcm(value: object) -> object:
    """Base64 text as the bytes of 16-bit samples."""
    expected = "base64 text of raw 16-bit little-endian mono samples"
    if not isinstance(value, str):
        raise ValueError(expected)
    if len(value) > 4 * MAX_AUDIO_BYTES // 3 + 4:
        raise ValueError(f"at most {MAX_AUDIO_BYTES} bytes of sound in one message")
    try:
        pcm = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(expected) from None
    if len(pcm) % 2:
        raise ValueError(f"{expected}, an even number of bytes")
    if pcm.startswith(b"RIFF"):
        raise ValueError(f"{expected}, without the header of a WAV file")
    return pcm


class Utterance(_Interaction):
    """A piece of something to say: text, or sound.

    Pieces with the same `inference_id` are one utterance, which `done` closes.
    """

    modality: Literal["text", "audio"] = "text"
    done: bool = True
    """This is the last piece; by default text is, sound is not."""
    inference_id: str | None = Field(None, min_length=1, max_length=200)
    sample_rate: int = Field(16_000, ge=LOWEST_RATE_HZ, le=PLAYOUT_RATE_HZ)
    text: str = Field("", max_length=20_000, validate_default=True)
    audio: Annotated[bytes, BeforeValidator(_pcm)] = Field("", validate_default=True)
    """int16 samples, mono, little-endian."""

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        filled = {name: value for name, value in given.items() if value is not None}
        filled.setdefault("modality", "audio" if "audio" in filled and "text" not in filled else "text")
        filled.setdefault("done", filled["modality"] != "audio")
        return filled

    @field_validator("text", "audio")
    @classmethod
    def _says_something(cls, value: str | bytes, info: ValidationInfo) -> str | bytes:
        # A piece without content may close an utterance, which must then be named.
        closes = info.data.get("done") and info.data.get("inference_id") is not None
        if info.field_name == info.data.get("modality") and not value and not closes:
            raise ValueError(f"{info.field_name} that is not empty")
        return value


class Echo(_Interaction):
    """Say exactly this."""

    event_type: Literal["conversation.echo"]
    properties: Utterance


class Interrupt(_Interaction):
    """Stop speaking, and forget what waits to be said."""

    event_type: Literal["conversation.interrupt"]


class _ContextText(_Interaction):
    context: str = Field(max_length=20_000)


class OverwriteContext(_Interaction):
    """Replace the prompt."""

    event_type: Literal["conversation.overwrite_llm_context"]
    properties: _ContextText


class _JobContext(_ContextText):
    job_status: str | None = Field(None, max_length=100)
    """How the job went whose result this is."""


class AppendContext(_Interaction):
    """Add to the prompt."""

    event_type: Literal["conversation.append_llm_context"]
    properties: _JobContext


class _Sensitivities(_Interaction):
    participant_pause_sensitivity: Sensitivity | None = None
    participant_interrupt_sensitivity: Sensitivity | None = None


class SetSensitivity(_Interaction):
    """Change how soon pauses end turns, and how easily voice interrupts."""

    event_type: Literal["conversation.sensitivity"]
    properties: _Sensitivities


class _ToolOutput(_Interaction):
    tool_call_id: str = Field(min_length=1, max_length=200)
    name: str | None = Field(None, max_length=200)
    output: str | dict[str, Any] | list[Any] = ""
    status: Literal["success", "error"] = "success"


class ToolResult(_Interaction):
    """What a tool said that the language model had called."""

    event_type: Literal["conversation.tool_result"]
    properties: _ToolOutput


class _Feeling(_Interaction):
    emotion: Emotion


class SetEmotion(_Interaction):
    """Show this on the face until told otherwise."""

    event_type: Literal["conversation.set_emotion"]
    properties: _Feeling


class _Media(_Interaction):
    camera_mid: str | None = Field(None, max_length=16)
    screen_mid: str | None = Field(None, max_length=16)


class Media(_Interaction):
    """Which of the page's videos is the person's camera and which their screen; null is switched off."""

    event_type: Literal["conversation.media"]
    properties: _Media


class Leave(_Interaction):
    """The person leaves."""

    event_type: Literal["conversation.leave"]


Interaction = (
    Respond
    | Echo
    | Interrupt
    | OverwriteContext
    | AppendContext
    | SetSensitivity
    | ToolResult
    | SetEmotion
    | Media
    | Leave
)

_INTERACTION: TypeAdapter[Interaction] = TypeAdapter(Annotated[Interaction, Field(discriminator="event_type")])

_KNOWN = tuple(kind.model_fields["event_type"].annotation.__args__[0] for kind in get_args(Interaction))


def parse_interaction(message: Mapping[str, Any]) -> Interaction:
    """Read a message.

    Raises `BadInputError` that names the field, its value and what would be right.
    """
    if message.get("event_type") not in _KNOWN:
        raise BadInputError("event_type", message.get("event_type"), "one of " + ", ".join(_KNOWN))
    try:
        return _INTERACTION.validate_python(message)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    # The first part of a location is the event type that the union was resolved to.
    field = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "missing":
        raise BadInputError(field, None, "a value")
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    raise BadInputError(field, first["input"], expected[:1].lower() + expected[1:])
