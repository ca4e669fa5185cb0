"""What a client says of its session, read with the `openai` package's own types, and the default."""

from collections.abc import Mapping
from typing import Any, Literal

from openai.types.realtime import RealtimeSessionCreateRequest
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad, ServerVad
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from visavis.conversation.floor import Floor, FloorSettings, Onset
from visavis.conversation.patience import Level, Patience, PatienceSettings, of_level
from visavis.layers.llm import Function
from visavis.layers.tools.arguments import check_schema
from visavis.layers.tts.stock_voices import DEFAULT

RATE_HZ = 24_000
"""Of the protocol's `audio/pcm`."""

_PCM = {"type": "audio/pcm", "rate": RATE_HZ}
_THRESHOLD, _SILENCE_MS = 0.5, 500
_VAD: Mapping[str, Any] = {
    "type": "server_vad",
    "threshold": _THRESHOLD,
    "prefix_padding_ms": 300,
    "silence_duration_ms": _SILENCE_MS,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_EAGERNESS: Mapping[str, Level] = {"low": "high", "medium": "medium", "high": "low", "auto": "medium"}
"""Who is eager has little patience."""

_NOT_YET = ("prompt", "mcp")
Modality = Literal["audio", "text"]


class ProtocolError(Exception):
    """A client's message is not usable; it is told why, and the session goes on."""

    def __init__(self, code: str, text: str, param: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.param = param


class Description(BaseModel):
    """One session's settings. Immutable; an update makes another."""

    model_config = ConfigDict(frozen=True)

    document: dict[str, Any]
    """As the protocol shows it."""
    instructions: str
    functions: tuple[Function, ...] = ()
    uses_tools: bool = True
    voice: str = DEFAULT
    modality: Modality = "audio"
    turn_detection: ServerVad | SemanticVad | None = None
    transcribes: bool = False

    @property
    def creates_response(self) -> bool:
        """Whether the end of the person's turn is answered without being asked."""
        return self.turn_detection is not None and self.turn_detection.create_response is not False

    @property
    def interrupts(self) -> bool:
        """Whether the person's voice ends the answer."""
        return self.turn_detection is not None and self.turn_detection.interrupt_response is not False

    def floor(self) -> Floor:
        """How the person takes turns."""
        detection = self.turn_detection
        if isinstance(detection, SemanticVad):
            return Floor(FloorSettings(), Patience(of_level(_EAGERNESS[detection.eagerness or "auto"])))
        given = detection.threshold if detection else None
        threshold = _THRESHOLD if given is None else given
        silence = detection.silence_duration_ms if detection else None
        silence_ms = float(_SILENCE_MS if silence is None else silence)
        onset = Onset(64, threshold)
        settings = FloorSettings(onset, onset, onset, stop_probability=max(0.05, threshold - 0.15))
        return Floor(settings, Patience(PatienceSettings.fixed(silence_ms)))


def first(instructions: str, functions: tuple[Function, ...], model: str, session_id: str, voice: str) -> Description:
    """The session before the client has said anything."""
    document = {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "instructions": instructions,
        "output_modalities": ["audio"],
        "tools": [shown(one) for one in functions],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "audio": {
            "input": {"format": _PCM, "transcription": None, "noise_reduction": None, "turn_detection": _VAD},
            "output": {"format": _PCM, "voice": voice, "speed": 1.0},
        },
    }
    return _read(document)


def updated(before: Description, changes: Mapping[str, Any]) -> Description:
    """The session after `session.update`: what is not named stays. Raises `ProtocolError`."""
    if changes.get("type", "realtime") != "realtime":
        raise ProtocolError("invalid_value", "This server offers sessions of the type 'realtime' only.", "session.type")
    if (changes.get("model") or before.document["model"]) != before.document["model"]:
        raise ProtocolError("invalid_value", "The model of a session cannot be changed.", "session.model")
    for name in _NOT_YET:
        if changes.get(name):
            raise ProtocolError("invalid_value", f"{name} is not supported by this server.", f"session.{name}")
    document = _merged(before.document, {name: value for name, value in changes.items() if name != "id"})
    return _read(document)


def for_response(session: Description, wanted: Mapping[str, Any]) -> Description:
    """The session as one response wants it. Raises `ProtocolError`."""
    known = ("instructions", "tools", "tool_choice", "output_modalities", "audio", "max_output_tokens")
    return _read(_merged(session.document, {name: wanted[name] for name in known if wanted.get(name) is not None}))


def shown(function: Function) -> dict[str, Any]:
    """A tool as the protocol has it."""
    return {
        "type": "function",
        "name": function.name,
        "description": function.description,
        "parameters": dict(function.parameters),
    }


def checked(adapter: TypeAdapter[Any], value: Any, at: str = "") -> Any:
    """`value` as the protocol's type. Raises `ProtocolError` that names the field."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        missing = problem["type"] == "missing"
        code = "missing_required_parameter" if missing else "invalid_value"
        text = f"Missing required parameter: {field!r}." if missing else f"{field}: {problem['msg']}."
        raise ProtocolError(code, text, f"{at}{field}") from None


_SESSION = TypeAdapter(RealtimeSessionCreateRequest)


def _read(document: Mapping[str, Any]) -> Description:
    session: RealtimeSessionCreateRequest = checked(_SESSION, document, "session.")
    audio = session.audio
    assert audio and audio.input and audio.output
    for side, way in (("input", audio.input), ("output", audio.output)):
        if way.format and way.format.type not in (None, "audio/pcm"):
            text = f"{way.format.type} is not supported by this server; use audio/pcm at {RATE_HZ} Hz."
            raise ProtocolError("invalid_value", text, f"session.audio.{side}.format")
    voice = audio.output.voice
    modalities = session.output_modalities or ["audio"]
    return Description(
        document=dict(document),
        instructions=session.instructions or "",
        functions=tuple(_function(index, one) for index, one in enumerate(document.get("tools") or ())),
        uses_tools=session.tool_choice != "none",
        voice=voice if isinstance(voice, str) else DEFAULT,
        modality="text" if "text" in modalities else "audio",
        turn_detection=audio.input.turn_detection,
        transcribes=audio.input.transcription is not None,
    )


def _function(index: int, tool: Mapping[str, Any]) -> Function:
    at = f"session.tools.{index}"
    if tool.get("type", "function") != "function":
        raise ProtocolError("invalid_value", "Tools of the type 'function' only are supported by this server.", at)
    if not tool.get("name"):
        raise ProtocolError("missing_required_parameter", f"Missing required parameter: '{at}.name'.", f"{at}.name")
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    try:
        check_schema(parameters)
    except ValueError as error:
        raise ProtocolError("invalid_value", f"{at}.parameters: expected {error}.", f"{at}.parameters") from None
    return Function(str(tool["name"]), str(tool.get("description") or ""), parameters)


def _merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` over `document`; a turn detection of another type takes nothing from the one before."""
    found = dict(document)
    for name, value in changes.items():
        before = found.get(name)
        same = isinstance(value, Mapping) and isinstance(before, Mapping) and value.get("type") == before.get("type")
        if isinstance(value, Mapping) and isinstance(before, Mapping) and (same or "type" not in value):
            found[name] = _merged(before, value)
        else:
            found[name] = value
    return found
