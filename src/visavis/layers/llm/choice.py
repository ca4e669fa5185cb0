"""Which language model answers: the one that is named, a built-in one by its quality, or what suits the machine."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Literal

import psutil

from visavis import models
from visavis.config import Settings
from visavis.layers.llm import LanguageModel
from visavis.layers.llm.built_in import BuiltInModel
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.speed import SpeedMemory, first_clause_s
from visavis.layers.llm.vendor import vendor_model
from visavis.layers.settings import LanguageModelSettings

_log = logging.getLogger(__name__)

Quality = Literal["fast", "quality", "tiny"]

LANGUAGE_MODELS: dict[Quality, str] = {
    "fast": "qwen2.5-coder-0.5b",
    "quality": "qwen2.5-coder-1.5b",
    "tiny": "smollm2-135m",
}
"""Names of the built-in language models."""

LONGEST_CLAUSE_S = 1.6
"""A model that needs longer for a first clause when nothing else runs is not chosen unasked: in a call, on two cores,
it takes about twice as long."""

LARGE_MODEL_NEEDS_BYTES = 2_400_000_000
"""Of free memory: 1.9 GB for the larger model, the rest for speech and picture."""


@asynccontextmanager
async def language_model(settings: Settings, llm: LanguageModelSettings | None) -> AsyncIterator[LanguageModel]:
    """The model at `llm` or, without one, the built-in model of `settings.quality`; it answers when this is entered.

    Raises `visavis.models.ModelMissingError` and `visavis.errors.EngineError`.
    """
    if llm:
        _log.info("language model: %s", llm.model)
        async with aclosing(vendor_model(llm)) as vendor:
            yield vendor
        return
    quality: Quality = await suitable(settings) if settings.quality == "auto" else settings.quality
    async with _server(quality) as server, aclosing(BuiltInModel(server)) as model:
        _log.info("language model: %s, built in", LANGUAGE_MODELS[quality])
        yield model


@asynccontextmanager
async def _server(quality: Quality) -> AsyncIterator[LlamaServer]:
    file = next(models.path(LANGUAGE_MODELS[quality]).glob("*.gguf"))
    async with LlamaServer(file) as server:
        await server.ready()
        yield server


async def suitable(settings: Settings) -> Quality:
    """What quality `auto` is: the larger model if it is here, fits and is quick enough, else the small one.

    The log says which and why. Raises `visavis.errors.EngineError` when the larger model cannot be measured.
    """
    here = models.status()
    large, small = (here[LANGUAGE_MODELS[quality]] is models.State.READY for quality in ("quality", "fast"))
    if not large:
        _log.info("quality fast: the larger model is not here; `visavis models pull` fetches it")
        return "fast"
    if not small:
        return "quality"
    free = psutil.virtual_memory().available
    if free < LARGE_MODEL_NEEDS_BYTES:
        needed = LARGE_MODEL_NEEDS_BYTES / 1e9
        _log.info("quality fast: %.1f GB of memory are free, and the larger model needs %.1f", free / 1e9, needed)
        return "fast"
    seconds, how = await _first_clause_of_large(settings)
    chosen: Quality = "quality" if seconds <= LONGEST_CLAUSE_S else "fast"
    _log.info(
        "quality %s: the larger model takes %.2f s to a first clause (%s; up to %.2f is fine)",
        chosen,
        seconds,
        how,
        LONGEST_CLAUSE_S,
    )
    return chosen


async def _first_clause_of_large(settings: Settings) -> tuple[float, str]:
    memory = SpeedMemory(settings.model_cache)
    sha256 = models.manifest().model(LANGUAGE_MODELS["quality"]).files[0].sha256
    known = memory.recall(sha256)
    if known is not None:
        return known, "measured at an earlier start"
    async with _server("quality") as server, aclosing(BuiltInModel(server)) as model:
        seconds = await first_clause_s(model, server.busy_s)  # whatever else runs while visavis starts
    memory.remember(sha256, seconds)
    return seconds, "measured now"
