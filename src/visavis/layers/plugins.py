"""Engines from other packages, found by entry points.

A package names what it has in its `pyproject.toml`:

    [project.entry-points."visavis.tts"]
    shouting = "visavis_shouting:open_voice"

`open_voice(options)` gets the other fields of the persona's layer as a dictionary and returns an engine of its layer
(`ENGINES`). When the engine has a method `aclose`, it is called when the conversation ends. Two attributes of the
function are looked at: `options`, a Pydantic model of what it takes, by which a persona is refused that asks for
something else; and `about`, a dictionary that may tell `licence`, `languages` and `cost`. `examples/plugin` is a
template.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from visavis.errors import BadInputError, EngineError
from visavis.layers import livekit
from visavis.outbound import Outbound

Layer = Literal["stt", "tts", "llm", "realtime", "turn", "perception"]

ENGINES: Mapping[Layer, str] = {
    "stt": "visavis.layers.stt.SpeechToText",
    "tts": "visavis.layers.tts.TextToSpeech",
    "llm": "visavis.layers.llm.LanguageModel",
    "realtime": "visavis.layers.realtime.VoiceToVoice",
    "turn": "visavis.layers.turn.TurnDetector",
    "perception": "visavis.layers.perception.Perception",
}
"""What the engines of each layer are."""

LAYERS: tuple[Layer, ...] = tuple(ENGINES)


class Plugin(BaseModel):
    """An engine from another package, as a persona wants it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    engine: str = Field(min_length=1, max_length=200, description="Name of the entry point.")
    options: Mapping[str, Any] = Field(default_factory=dict, repr=False, description="What it takes.")


@cache  # they are read from every installed package's files, which takes 20 ms
def installed(layer: Layer) -> dict[str, EntryPoint]:
    """The engines that installed packages have for a layer, by name."""
    return {point.name: point for point in entry_points(group=f"visavis.{layer}")}


def about(point: EntryPoint) -> Mapping[str, Any]:
    """What an engine tells of itself; `problem` where it cannot be loaded."""
    try:
        found = getattr(point.load(), "about", {})
    except Exception as error:  # foreign code may fail in any way
        return {"problem": f"{type(error).__name__}: {error}"}
    return found if isinstance(found, Mapping) else {}


def is_known(layer: Layer, engine: object) -> bool:
    """Whether an engine is one from another package: by entry point, or one of LiveKit's."""
    return _is_of_livekit(layer, engine) or engine in installed(layer)


def checked(layer: Layer, wanted: Plugin, at: str) -> None:
    """Raise `BadInputError` for what can be known to be wrong without starting it; `at` is where its options stand."""
    if layer in ("stt", "tts", "llm") and _is_of_livekit(layer, wanted.engine):
        livekit.checked(layer, wanted.engine, wanted.options, at)
        return
    point = installed(layer).get(wanted.engine)
    if point is None:
        return
    try:
        options = getattr(point.load(), "options", None)
    except Exception as error:  # foreign code may fail in any way
        expected = f"an engine that can be loaded ({type(error).__name__}: {error})"
        raise BadInputError(f"{at}: engine", wanted.engine, expected) from None
    if not (isinstance(options, type) and issubclass(options, BaseModel)):
        return
    try:
        options.model_validate(dict(wanted.options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in (at, *first["loc"]))
        raise BadInputError(field, "...", _expected(first["type"], first["msg"], options)) from None


def _expected(kind: str, message: str, options: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        return f"one of {', '.join(options.model_fields)}"
    return "a value" if kind == "missing" else message.removeprefix("Value error, ").removeprefix("Input should be ")


def _is_of_livekit(layer: Layer, engine: object) -> bool:
    return layer in ("stt", "tts", "llm") and isinstance(engine, str) and engine.startswith(livekit.PREFIX)


@asynccontextmanager
async def opened(layer: Layer, wanted: Plugin, outbound: Outbound) -> AsyncIterator[Any]:
    """The engine, for as long as a conversation lasts. Raises `EngineError`."""
    if layer in ("stt", "tts", "llm") and _is_of_livekit(layer, wanted.engine):
        async with livekit.opened(layer, wanted.engine, wanted.options, outbound) as engine:
            yield engine
        return
    point = installed(layer).get(wanted.engine)
    if point is None:
        raise EngineError(layer, f"the engine {wanted.engine!r} is not installed on this server")
    try:
        engine = point.load()(dict(wanted.options))
    except Exception as error:
        raise EngineError(layer, f"the engine {wanted.engine!r} does not start: {error}") from error
    try:
        yield engine
    finally:
        if aclose := getattr(engine, "aclose", None):
            await aclose()
