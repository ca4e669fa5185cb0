"""The engines that come with visavis, started together and warmed up, so that the first turn is as fast as the next."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from visavis import models
from visavis.audio import LISTEN_RATE_HZ
from visavis.config import Settings
from visavis.layers import Layers
from visavis.layers.llm import LanguageModel
from visavis.layers.llm.built_in import BuiltInModel
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.openai_compatible import LanguageModelSettings, OpenAICompatible
from visavis.layers.stt.moonshine import Moonshine
from visavis.layers.tts.hibari import Hibari
from visavis.layers.turn import Pause
from visavis.layers.turn.end_of_turn import CombinedEndOfTurn
from visavis.layers.turn.silero import Silero
from visavis.layers.turn.smart_turn import SmartTurn

_log = logging.getLogger(__name__)

LANGUAGE_MODELS = {"fast": "qwen2.5-coder-0.5b", "quality": "qwen2.5-coder-1.5b", "tiny": "smollm2-135m"}
"""Names of the built-in language models, by `Settings.quality`."""


@asynccontextmanager
async def start_layers(settings: Settings, llm: LanguageModelSettings | None) -> AsyncIterator[Layers]:
    """The engines of a server; `llm` replaces the built-in language model.

    Raises `visavis.models.ModelMissingError`, and `EngineError` for an engine that does not start.
    """
    async with _language_model(settings, llm or settings.llm) as language_model:
        voice_activity = await asyncio.to_thread(Silero)
        end_of_turn = CombinedEndOfTurn(await asyncio.to_thread(SmartTurn))
        recogniser, voice = await asyncio.to_thread(Moonshine), await asyncio.to_thread(Hibari)
        try:
            # One after the other: on two cores together they would only get in each other's way.
            await voice.warm_up()
            noise = np.random.default_rng(0).normal(0, 0.1, LISTEN_RATE_HZ).astype(np.float32)
            await end_of_turn.probability(Pause(noise, 0.1, ""))
            utterance = recogniser.utterance()
            utterance.feed(noise)
            await utterance.partial()
            await utterance.final()
            yield Layers(voice_activity.listen, recogniser, end_of_turn, language_model, voice)
        finally:
            recogniser.close()
            end_of_turn.close()


@asynccontextmanager
async def _language_model(settings: Settings, llm: LanguageModelSettings | None) -> AsyncIterator[LanguageModel]:
    if llm:
        _log.info("language model: %s", llm.model)
        vendor = OpenAICompatible(llm)
        try:
            yield vendor
        finally:
            await vendor.aclose()
        return
    name = LANGUAGE_MODELS[settings.quality]
    file = next(models.path(name).glob("*.gguf"))
    async with LlamaServer(file) as server:
        await server.ready()
        _log.info("language model: %s, built in", name)
        built_in = BuiltInModel(server)
        try:
            yield built_in
        finally:
            await built_in.aclose()
