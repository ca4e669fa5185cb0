"""From a stored persona to what a conversation runs, and what of it this server does not do yet.

Clients of the hosted service name engines that are not here. Their personas are kept whole and run with the built-in
engines; every difference is one line among the `warnings` of the answer.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from visavis.api.bodies import first_problem
from visavis.api.persona_document import PerceptionLayer, PersonaFields, with_defaults
from visavis.conversation.persona import ConversationalFlow, Perceiving, Persona
from visavis.errors import BadInputError
from visavis.layers import plugins
from visavis.layers.perception.sensed import can_tell
from visavis.layers.realtime.gemini_live import is_installed as gemini_installed
from visavis.layers.settings import (
    GEMINI_URL,
    FasterWhisperSettings,
    GeminiLiveSettings,
    KokoroSettings,
    LanguageModelSettings,
    RealtimeSettings,
    SpeechSettings,
    TranscriptionSettings,
    TurnHookSettings,
)
from visavis.layers.stt.faster_whisper import NAME as FASTER_WHISPER
from visavis.layers.stt.faster_whisper import checked as check_whisper
from visavis.layers.tools.built_in import SYSTEM_TOOLS
from visavis.layers.tools.description import ToolDescription
from visavis.layers.tools.mcp import Commands, McpServer
from visavis.layers.tts.kokoro_files import NAME as KOKORO
from visavis.layers.tts.kokoro_files import checked as check_kokoro
from visavis.layers.tts.stock_voices import VOICE_NAMES

_LATER: Mapping[str, str] = {
    "document_ids": "documents",
    "document_tags": "documents",
    "objectives_id": "objectives",
    "guardrails_id": "guardrails",
    "guardrail_ids": "guardrails",
    "guardrail_tags": "guardrails",
    "memories": "memories",
    "disclosure_type": "disclosure",
    "verbal_disclosure": "disclosure",
    "visual_disclosure": "disclosure",
}
_UNSEEN: Mapping[str, str] = {
    "emotion_recognition": "behaviour is seen and heard, but no feelings are inferred from it",
}
_OLDER_NAMES: Mapping[str, str] = {
    "ambient_awareness_queries": "visual_awareness_queries",
    "perception_tool_prompt": "visual_tool_prompt",
    "perception_tools": "visual_tools",
}
"""Of fields of the perception layer, and what they are called now."""
_ENGLISH = ("en", "english")
_OWN_ENGINES = (None, "", "visavis", "tavus-auto", "sparrow-1", "sparrow-0")


def runnable(
    document: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    tools: Sequence[Mapping[str, Any]] = (),
) -> Persona:
    """The persona that a conversation runs: `document` as it is stored, secrets included, changed by `overrides`.

    `tools` are the documents of its `tool_ids`. Raises `BadInputError`, which names the field.
    """
    return validated(snapshot(document, overrides, tools))


def validated(found: Mapping[str, Any]) -> Persona:
    """A `snapshot` as a persona. Raises `BadInputError`."""
    try:
        return Persona.model_validate(found)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False)) from None


def snapshot(
    document: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    tools: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The same as JSON, secrets included: what a conversation's row keeps."""
    merged = with_defaults(merge(document, overrides or {}))
    layers = merged["layers"]
    flow, listening, seeing = layers["conversational_flow"], layers["stt"], layers["perception"]
    name = merged["persona_name"] or "Replica"
    speakers = _voice_to_voice(merged)
    prompt = merged["system_prompt"]
    if not prompt and merged["pipeline_mode"] == "speech-to-speech":
        prompt = f"You are {name}."  # such personas may come without one
    found: dict[str, Any] = {
        "persona_name": name,
        "system_prompt": prompt,
        "context": merged["context"] or "",
        "greeting": merged["greeting"] or "",
        "layers": {
            "conversational_flow": {name: flow[name] for name in _FLOW if name in flow} | _turn_detector(flow),
            "stt": {name: listening[name] for name in _TURNS if name in listening} | _recogniser(listening),
            "perception": _perceiving(seeing) | _eyes(seeing),
            "llm": _language_model(layers["llm"]),
            "llm_plugin": _model_plugin(layers["llm"]),
            "tts": _speaking(layers["tts"]) | _voice(layers["tts"]),
            **speakers,
        },
        **_tools(merged, tools),
    }
    echoes = merged["pipeline_mode"] == "echo"
    found["pipeline_mode"] = "speech-to-speech" if speakers else "echo" if echoes else "full"
    return found


def _voice_to_voice(merged: Mapping[str, Any]) -> dict[str, Any]:
    """The model that hears and speaks; nothing where another mode is wanted, or its layer names none."""
    layer = merged["layers"].get("sts") or {}
    if merged["pipeline_mode"] != "speech-to-speech" or not names_voice_to_voice(layer):
        return {}
    engine = layer.get("sts_engine")
    if plugins.is_known("realtime", engine):
        return {"sts_plugin": _plugin("realtime", "sts", layer, ())}
    field, kind, url = ("sts_gemini", GeminiLiveSettings, GEMINI_URL) if engine == GEMINI else _OPENAI_STS
    if engine == GEMINI and not gemini_installed():
        raise BadInputError("layers.sts.sts_engine", engine, "the package google-genai (pip install visavis[gemini])")
    known = {"base_url": url} | {name: layer[name] for name in kind.model_fields if name in layer}
    try:
        kind.model_validate(known)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False), "layers.sts.") from None
    return {field: known}


def outside_addresses(persona: Persona) -> list[tuple[str, str]]:
    """Fields and addresses of engines that are reached through the guarded client."""
    layers = persona.layers
    asked: Mapping[str, Any] = {
        "stt": layers.stt.openai,
        "tts": layers.tts.openai,
        "sts": layers.sts or layers.sts_gemini,
    }
    found = [(f"layers.{name}.base_url", one.base_url) for name, one in asked.items() if one is not None]
    if (hook := layers.conversational_flow.turn_hook) is not None:
        found.append((f"{_DETECTOR}.base_url", hook.http_url))
    return found + [("layers.llm.tools.server_url", one.server_url) for one in persona.mcp_servers if one.server_url]


def check_mcp(persona: Persona, commands: Commands) -> None:
    """Raise `BadInputError` for an MCP server that this server cannot use."""
    if persona.mcp_servers and not find_spec("mcp"):
        raise BadInputError("layers.llm.tools", "mcp", "other tools: the package mcp is not installed on this server")
    for server in persona.mcp_servers:
        if server.command is not None and server.command not in commands:
            expected = f"a name from VISAVIS_MCP_COMMANDS: {', '.join(commands) or 'none'}"
            raise BadInputError("layers.llm.tools.command", server.command, expected)


def names_voice_to_voice(layer: Mapping[str, Any]) -> bool:
    """Whether a layer `sts` says which model it wants."""
    engine = layer.get("sts_engine")
    return bool(layer.get("base_url")) or engine in (OPENAI, GEMINI) or plugins.is_known("realtime", engine)


def _perceiving(layer: Mapping[str, Any]) -> dict[str, Any]:
    older = {new: layer[old] for old, new in _OLDER_NAMES.items() if layer.get(old)}
    found = {name: value for name, value in (older | dict(layer)).items() if name in Perceiving.model_fields}
    for field in ("visual_tools", "audio_tools"):
        for index, given in enumerate(found.get(field) or ()):
            try:
                ToolDescription.model_validate(given)
            except ValidationError as error:
                raise first_problem(error.errors(include_url=False), f"layers.perception.{field}.{index}.") from None
    return {name: value for name, value in found.items() if value is not None}


def _speaking(layer: Mapping[str, Any]) -> dict[str, Any]:
    named = (layer.get("external_voice_id"), layer.get("voice_id"))
    voice = next((name for name in named if name in VOICE_NAMES), None)
    return {"voice": voice, "tts_emotion_control": layer.get("tts_emotion_control") is True}


def _tools(merged: Mapping[str, Any], stored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tools from `tool_ids` (`stored` are their documents), and those in the language model's layer itself."""
    own, system = [*stored], [one for one in merged.get("tool_ids") or () if one in SYSTEM_TOOLS]
    servers: list[Mapping[str, Any]] = []
    for index, given in enumerate(merged["layers"]["llm"].get("tools") or ()):
        if given.get("type") in SYSTEM_TOOLS:
            system.append(given["type"])
            continue
        kind: type[BaseModel] = McpServer if given.get("type") == "mcp" else ToolDescription
        try:
            kind.model_validate(given)
        except ValidationError as error:
            raise first_problem(error.errors(include_url=False), f"layers.llm.tools.{index}.") from None
        (servers if kind is McpServer else own).append(given)
    names = [(one.get("function") or one).get("name") for one in own]
    if twice := next((name for index, name in enumerate(names) if name in names[:index]), None):
        raise BadInputError("tools", twice, "tools of different names")
    return {"tools": own, "mcp_servers": servers, "system_tools": list(dict.fromkeys(system))}


_FLOW = tuple(name for name in ConversationalFlow.model_fields if name not in ("turn_hook", "turn_plugin"))
_DETECTOR = "layers.conversational_flow.turn_detector"
HOOK = "hook"
"""The name of the turn detector behind an address."""
_TURNS = ("participant_pause_sensitivity", "participant_interrupt_sensitivity")
OPENAI = "openai"
"""The name of the engines behind OpenAI's protocol, of whichever server."""
_OPENAI_URL = "https://api.openai.com/v1"
_OPENAI_STS: tuple[str, type[BaseModel], str] = ("sts", RealtimeSettings, _OPENAI_URL)
GEMINI = "gemini"
"""The name of Google's voice-to-voice models."""


def _recogniser(layer: Mapping[str, Any]) -> dict[str, Any]:
    if plugins.is_known("stt", layer.get("stt_engine")):
        return {"plugin": _plugin("stt", "stt", layer, _TURNS)}
    names = {"model": "stt_model_name", "hotwords": "hotwords", "language": "language", "api_key": "api_key"}
    if layer.get("stt_engine") == FASTER_WHISPER:
        return {"whisper": _whisper(layer, names)}
    if layer.get("stt_engine") != OPENAI:
        return {}
    return {"openai": _vendor(layer, names, TranscriptionSettings, "layers.stt.")}


def _whisper(layer: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    fields = {ours: names.get(ours, ours) for ours in FasterWhisperSettings.model_fields}
    known = {ours: layer[theirs] for ours, theirs in fields.items() if layer.get(theirs) is not None}
    try:
        check_whisper(FasterWhisperSettings.model_validate(known), "layers.stt")
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False), "layers.stt.") from None
    return known


_OURS_OF_VOICE = ("pronunciations", "pronunciation_rules", "pronunciation_dictionary_id", "tts_emotion_control")


def _voice(layer: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"pronunciations": layer.get("pronunciations") or {}}
    found["pronunciation_rules"] = layer.get("pronunciation_rules") or []
    if plugins.is_known("tts", layer.get("tts_engine")):
        found["plugin"] = _plugin("tts", "tts", layer, _OURS_OF_VOICE)
    if layer.get("tts_engine") == KOKORO:
        found["kokoro"] = _kokoro(layer)
    if layer.get("tts_engine") == OPENAI:
        names = {"model": "tts_model_name", "voice": "external_voice_id", "api_key": "api_key"}
        settings = layer.get("voice_settings") or {}
        spoken = {name: settings[name] for name in ("speed", "instructions", "sample_rate_hz") if name in settings}
        found["openai"] = _vendor(layer, names, SpeechSettings, "layers.tts.", spoken)
    return found


def _kokoro(layer: Mapping[str, Any]) -> dict[str, Any]:
    given = {"voice": layer.get("external_voice_id"), "speed": (layer.get("voice_settings") or {}).get("speed")}
    known = {name: value for name, value in given.items() if value is not None}
    try:
        check_kokoro(KokoroSettings.model_validate(known), "layers.tts")
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False), "layers.tts.") from None
    return known


def _plugin(kind: plugins.Layer, name: str, layer: Mapping[str, Any], without: Sequence[str]) -> dict[str, Any]:
    engine = "perception_model" if kind == "perception" else f"{name}_engine"
    options = {name: value for name, value in layer.items() if name not in (engine, *without)}
    wanted = plugins.Plugin(engine=layer[engine], options=options)
    plugins.checked(kind, wanted, f"layers.{name}")
    return wanted.model_dump()


def _eyes(layer: Mapping[str, Any]) -> dict[str, Any]:
    if not plugins.is_known("perception", layer.get("perception_model")):
        return {}
    ours = (*PerceptionLayer.model_fields, *_OLDER_NAMES)
    return {"plugin": _plugin("perception", "perception", layer, ours)}


def _turn_detector(flow: Mapping[str, Any]) -> dict[str, Any]:
    """Who judges whether the person has finished, where that is somebody else."""
    engine, given = flow.get("turn_detection_model"), flow.get("turn_detector") or {}
    if plugins.is_known("turn", engine):
        wanted = plugins.Plugin(engine=str(engine), options=given)
        plugins.checked("turn", wanted, _DETECTOR)
        return {"turn_plugin": wanted.model_dump()}
    if engine != HOOK:
        return {}
    try:
        TurnHookSettings.model_validate(given)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False), f"{_DETECTOR}.") from None
    return {"turn_hook": given}


def _vendor(
    layer: Mapping[str, Any],
    names: Mapping[str, str],
    settings: type[BaseModel],
    inside: str,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    known = {ours: layer[theirs] for ours, theirs in names.items() if layer.get(theirs)}
    known = {"base_url": layer.get("base_url") or _OPENAI_URL, **known, **more}
    try:
        settings.model_validate(known)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False), inside) from None
    return known


def _model_plugin(layer: Mapping[str, Any]) -> dict[str, Any] | None:
    if plugins.is_known("llm", layer.get("llm_engine")):
        return _plugin("llm", "llm", layer, ("tools", "speculative_inference"))
    return None


def _language_model(layer: Mapping[str, Any]) -> dict[str, Any] | None:
    if not layer.get("base_url") or plugins.is_known("llm", layer.get("llm_engine")):
        return None
    if not layer.get("model"):
        raise BadInputError("layers.llm.model", layer.get("model"), "the name of the model at layers.llm.base_url")
    known = {name: layer[name] for name in LanguageModelSettings.model_fields if name in layer}
    if layer.get("disable_vision"):
        known["vision"] = False
    try:
        LanguageModelSettings.model_validate(known)
    except ValidationError as error:
        raise first_problem(error.errors(include_url=False), "layers.llm.") from None
    return known


def merge(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`document` changed by `changes` as in JSON Merge Patch (RFC 7396).

    A layer's credentials are not taken along to another address.
    """
    merged = _merged(document, changes)
    for path in _WITH_CREDENTIALS:
        before, after = _inside(document, path), _inside(merged, path)
        if after.get("base_url") != before.get("base_url"):
            given = _inside(changes, path)
            for name in CREDENTIALS:
                if name in after and name not in given:
                    del after[name]
    return merged


CREDENTIALS = ("api_key", "headers", "default_query")
_WITH_CREDENTIALS = (
    *(("layers", layer) for layer in ("llm", "stt", "tts", "sts")),
    ("layers", "conversational_flow", "turn_detector"),
)


def _merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            inner = merged.get(name)
            merged[name] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged


def _inside(document: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """What stands in `document` at `path`, itself and no copy; empty where that is no object."""
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def warnings(given: Mapping[str, Any]) -> list[str]:
    """What of a persona's given fields this server keeps without acting on it yet, one line each."""
    found = [f"{name}: {what} are not available yet" for name, what in _LATER.items() if given.get(name)]
    speaker = (given.get("layers") or {}).get("sts") or {}
    if given.get("pipeline_mode") == "speech-to-speech" and not names_voice_to_voice(speaker):
        expected = "layers.sts names no model: sts_engine 'openai', or a base_url"
        found.append(f"pipeline_mode: {expected}; the conversation runs as 'full'")
    elif given.get("pipeline_mode") != "speech-to-speech" and names_voice_to_voice(speaker):
        found.append("layers.sts: used only with pipeline_mode 'speech-to-speech'")
    if foreign := [one for one in given.get("languages") or () if str(one).split("-")[0].lower() not in _ENGLISH]:
        found.append(f"languages: {', '.join(map(str, foreign))}: the built-in engines speak English only")
    found += [
        f"{name}: not known to this server; kept without effect"
        for name in given
        if name not in {*PersonaFields.model_fields, *_LATER, *_SERVED}
    ]
    for name, layer in (given.get("layers") or {}).items():
        if name in _OF_LAYER and isinstance(layer, Mapping):
            found += [f"layers.{name}.{line}" for line in _OF_LAYER[name](layer)]
        elif layer:
            found.append(f"layers.{name}: not available yet; kept without effect")
    return found


_SERVED = frozenset(
    {"persona_id", "persona_type", "created_at", "updated_at", "data", "warnings", "pal_id", "pal_name", "pal_type"}
    | {"default_face_id"}
)


def _perception(layer: Mapping[str, Any]) -> list[str]:
    if layer.get("perception_model") == "off":
        return []
    found = [f"{name}: {why}" for name, why in _UNSEEN.items() if layer.get(name)]
    for name in ("visual_awareness_queries", "audio_awareness_queries"):
        found += [
            f"{name}: no built-in sensor can tell {query[:80]!r}; a vision endpoint (VISAVIS_VISION) may"
            for query in layer.get(name) or ()
            if not can_tell(query)
        ]
    known = (None, "", "auto", "raven-0", "raven-1")
    model = layer.get("perception_model")
    if model not in known and not plugins.is_known("perception", model):
        found.append(f"perception_model: {model!r} is not available; the built-in eyes see")
    return found


def _speech_to_text(layer: Mapping[str, Any]) -> list[str]:
    found = []
    engine = layer.get("stt_engine")
    if engine not in (*_OWN_ENGINES, OPENAI, FASTER_WHISPER) and not plugins.is_known("stt", engine):
        found.append(f"stt_engine: {engine!r} is not available; the built-in recogniser listens")
    if layer.get("hotwords") and engine not in (OPENAI, FASTER_WHISPER) and not plugins.is_known("stt", engine):
        found.append("hotwords: the built-in recogniser does not take any")
    return found


def _conversational_flow(layer: Mapping[str, Any]) -> list[str]:
    found = []
    if layer.get("voice_isolation") == "near":
        found.append("voice_isolation: not available yet")
    engine = layer.get("turn_detection_model")
    if engine not in (*_OWN_ENGINES, HOOK) and not plugins.is_known("turn", engine):
        found.append(f"turn_detection_model: {engine!r} is not available; the built-in judgement decides")
    elif layer.get("turn_detector") and engine in _OWN_ENGINES:
        found.append(f"turn_detector: used only with turn_detection_model {HOOK!r} or that of a plugin")
    known = {*_FLOW, "turn_detection_model", "turn_detector", "voice_isolation", "face_interruptibility"}
    return found + [f"{name}: not known to this server; kept without effect" for name in layer if name not in known]


def _llm_layer(layer: Mapping[str, Any]) -> list[str]:
    found = []
    if layer.get("model") and not layer.get("base_url") and not plugins.is_known("llm", layer.get("llm_engine")):
        found.append(
            f"model: {layer['model']!r} has no base_url, so the language model of this server answers in its place"
        )
    return found


def _text_to_speech(layer: Mapping[str, Any]) -> list[str]:
    wanted = layer.get("tts_engine") or layer.get("external_voice_id") or layer.get("voice_id")
    if wanted in (*_OWN_ENGINES, *VOICE_NAMES, OPENAI, KOKORO) or plugins.is_known("tts", layer.get("tts_engine")):
        return []
    name = next(name for name in ("tts_engine", "external_voice_id", "voice_id") if layer.get(name))
    return [f"{name}: {wanted!r} is not available yet; the built-in voice speaks"]


def _speech_to_speech(layer: Mapping[str, Any]) -> list[str]:
    if plugins.is_known("realtime", layer.get("sts_engine")):
        return []
    kind = GeminiLiveSettings if layer.get("sts_engine") == GEMINI else RealtimeSettings
    known = {*kind.model_fields, "sts_engine"}
    found = [f"{name}: not known to this server; kept without effect" for name in layer if name not in known]
    if (engine := layer.get("sts_engine")) not in (None, "", OPENAI, GEMINI):
        found.append(f"sts_engine: {engine!r} is not available; base_url is asked in OpenAI's protocol")
    return found


_OF_LAYER = {
    "perception": _perception,
    "stt": _speech_to_text,
    "conversational_flow": _conversational_flow,
    "llm": _llm_layer,
    "tts": _text_to_speech,
    "sts": _speech_to_speech,
}
