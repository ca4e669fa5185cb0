"""Engines from other packages, found by entry points.

A package names what it has in its `pyproject.toml`:

    [project.entry-points."visavis.tts"]
    shouting = "visavis_shouting:open_voice"

`open_voice(options)` gets the other fields of the persona's layer as a dictionary and returns an engine of
`visavis.layers.tts`, `.stt`, `.llm` or `.realtime`; it raises `ValueError` for options that are wrong. When the engine
has a method `aclose`, it is called when the conversation ends. The attribute `about`, a dictionary, may tell
`licence`, `languages` and `cost`. `examples/plugin` is a template.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from visavis.errors import EngineError
from visavis.layers import livekit
from visavis.outbound import Outbound

Layer = Literal["stt", "tts", "llm", "realtime"]

LAYERS: tuple[Layer, ...] = ("stt", "tts", "llm", "realtime")


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
    of_livekit = layer != "realtime" and isinstance(engine, str) and engine.startswith(livekit.PREFIX)
    return of_livekit or engine in installed(layer)


def checked(layer: Layer, wanted: Plugin, at: str) -> None:
    """Raise `BadInputError` for what can be known to be wrong without starting it; `at` is the layer's field."""
    if layer != "realtime" and wanted.engine.startswith(livekit.PREFIX):
        livekit.checked(layer, wanted.engine, wanted.options, at)


@asynccontextmanager
async def opened(layer: Layer, wanted: Plugin, outbound: Outbound) -> AsyncIterator[Any]:
    """The engine, for as long as a conversation lasts. Raises `EngineError`."""
    if layer != "realtime" and wanted.engine.startswith(livekit.PREFIX):
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
