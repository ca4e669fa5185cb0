"""Plugins of LiveKit Agents (`livekit-plugins-*`) as engines, run by themselves: `engine: "livekit:deepgram"`.

Needs `livekit-agents` and the plugin's package (extra `livekit`).
"""

import importlib
import inspect
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from typing import Any, Literal

from visavis.errors import BadInputError, EngineError
from visavis.outbound import Outbound, OutboundError

PREFIX = "livekit:"
"""Engines of this name are LiveKit's."""

Kind = Literal["stt", "tts", "llm"]

_CLASSES: Mapping[Kind, str] = {"stt": "STT", "tts": "TTS", "llm": "LLM"}
_OUR_NAMES = {"stt_model_name": "model", "tts_model_name": "model", "external_voice_id": "voice"}
"""What personas call things, and plugins do."""


_PACKAGES = "livekit-plugins-"


@dataclass(frozen=True, slots=True)
class Installed:
    """A layer that an installed plugin has an engine for."""

    layer: str
    engine: str
    licence: str
    state: str


def installed() -> list[Installed]:
    """The engines of the plugins that are installed, for people: each is imported to see what it has."""
    found = []
    for package in distributions():
        name = (package.metadata["Name"] or "").lower().replace("_", "-")
        if not name.startswith(_PACKAGES):
            continue
        engine = PREFIX + name.removeprefix(_PACKAGES).replace("-", "_")
        licence = _licence(package)
        layers, problem = _layers(engine)
        state = problem or f"ready, from {name} {package.version}"
        found += [Installed(layer, engine, licence, state) for layer in layers or ("?",)]
    return sorted(found, key=lambda one: (one.engine, one.layer))


def _licence(package: Distribution) -> str:
    for field in ("License-Expression", "License"):
        if field in package.metadata:
            return str(package.metadata[field])
    return "?"


def _layers(engine: str) -> tuple[list[Kind], str]:
    """The layers that a plugin has classes for, or why that is not known."""
    try:
        module = importlib.import_module(f"livekit.plugins.{engine.removeprefix(PREFIX)}")
    except Exception as error:  # foreign code may fail in any way
        return [], f"cannot be loaded ({type(error).__name__}: {error})"
    layers = [kind for kind, name in _CLASSES.items() if hasattr(module, name)]
    return layers, "" if layers else "has nothing that visavis uses"


def checked(kind: Kind, engine: str, options: Mapping[str, Any], at: str) -> None:
    """Whether the plugin is installed and takes these options. Raises `BadInputError` that names the field."""
    try:
        made = _class(kind, engine)
    except EngineError as error:
        raise BadInputError(f"{at}.{kind}_engine", engine, error.reason) from None
    known = inspect.signature(made.__init__).parameters
    for name in options:
        if _OUR_NAMES.get(name, name) not in known:
            expected = f"an option of {engine}: {', '.join(one for one in known if one != 'self')}"
            raise BadInputError(f"{at}.{name}", "...", expected)


@asynccontextmanager
async def opened(kind: Kind, engine: str, options: Mapping[str, Any], outbound: Outbound) -> AsyncIterator[Any]:
    """The engine, for as long as a conversation lasts. Raises `EngineError`."""
    made = _class(kind, engine)

    import aiohttp  # they come with LiveKit

    from visavis.layers.livekit.engines import LiveKitModel, LiveKitRecogniser, LiveKitVoice

    given = {_OUR_NAMES.get(name, name): value for name, value in options.items()}
    async with aiohttp.ClientSession() as http:
        if "http_session" in inspect.signature(made.__init__).parameters:
            given.setdefault("http_session", http)
        try:
            for value in given.values():
                if isinstance(value, str) and value.startswith(("http://", "https://", "ws://", "wss://")):
                    await outbound.addresses(value.replace("ws", "http", 1) if value[0] == "w" else value)
            plugin = made(**given)
        except OutboundError as error:
            raise EngineError(kind, str(error)) from None
        except Exception as error:  # foreign code may fail in any way; its words may quote the key
            raise EngineError(kind, f"the engine {engine!r} does not start ({type(error).__name__})") from None
        kinds: Mapping[Kind, type[Any]] = {"stt": LiveKitRecogniser, "tts": LiveKitVoice, "llm": LiveKitModel}
        wrapped = kinds[kind](plugin, engine)
        try:
            yield wrapped
        finally:
            await wrapped.aclose()
            await plugin.aclose()


def _class(kind: Kind, engine: str) -> Any:
    """The plugin's class. Raises `EngineError`."""
    name = engine.removeprefix(PREFIX)
    if not name.isidentifier():
        raise EngineError(kind, f"{PREFIX}NAME, where NAME is that of a plugin of LiveKit")
    try:
        module = importlib.import_module(f"livekit.plugins.{name}")
    except ImportError:
        raise EngineError(kind, f"an engine that is installed: the package livekit-plugins-{name} is not") from None
    found = getattr(module, _CLASSES[kind], None)
    if found is None:
        raise EngineError(kind, f"an engine with a class {_CLASSES[kind]}; this plugin has none")
    return found
