"""The engines that come with visavis, started together and warmed up, so that the first turn is as fast as the next."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from visavis.audio import LISTEN_RATE_HZ
from visavis.config import Settings, settings
from visavis.layers import Layers
from visavis.layers.llm import LanguageModel
from visavis.layers.llm.choice import language_model
from visavis.layers.perception.local import LocalPerception
from visavis.layers.perception.vision import VisionModel
from visavis.layers.settings import LanguageModelSettings
from visavis.layers.stt.moonshine import Moonshine
from visavis.layers.tts.hibari import Hibari
from visavis.layers.turn import WordsJudge
from visavis.layers.turn.end_of_turn import CombinedEndOfTurn
from visavis.layers.turn.silero import Silero
from visavis.layers.turn.smart_turn import SmartTurn
from visavis.layers.turn.words_judge import words_judge
from visavis.models import ModelMissingError

_log = logging.getLogger(__name__)


@asynccontextmanager
async def start_layers(settings: Settings, llm: LanguageModelSettings | None) -> AsyncIterator[Layers]:
    """The engines of a server; `llm` replaces the built-in language model.

    Raises `visavis.models.ModelMissingError`, and `EngineError` for an engine that does not start.
    """
    async with (
        language_model(settings, llm or settings.llm) as answering,
        words_judge(answering) as judge,
        start_speech(answering, judge) as layers,
    ):
        yield layers


@asynccontextmanager
async def start_speech(answering: LanguageModel, judge: WordsJudge | None = None) -> AsyncIterator[Layers]:
    """The built-in engines that hear and speak, around a language model; loaded and warm when this is entered.

    `judge` is whom the end-of-turn model asks about words, if anybody.

    Raises `visavis.models.ModelMissingError`, and `EngineError` for an engine that does not start.
    """
    voice_activity = await asyncio.to_thread(Silero)
    end_of_turn = CombinedEndOfTurn(await asyncio.to_thread(SmartTurn))
    recogniser, voice = await asyncio.to_thread(Moonshine), await asyncio.to_thread(Hibari)
    try:
        # One after the other: on two cores together they would only get in each other's way.
        await voice.warm_up()
        noise = np.random.default_rng(0).normal(0, 0.1, LISTEN_RATE_HZ).astype(np.float32)
        await end_of_turn.warm_up()
        utterance = recogniser.utterance()
        utterance.feed(noise)
        await utterance.partial()
        await utterance.final()
        perception = _perception()
        yield Layers(voice_activity.listen, recogniser, end_of_turn, answering, voice, perception, words_judge=judge)
    finally:
        recogniser.close()
        end_of_turn.close()


def _perception() -> LocalPerception | None:
    """Blind without models: a call works as well without."""
    try:
        chosen = settings()
        vision = VisionModel(chosen.vision) if chosen.vision else None
        return LocalPerception(budget=chosen.perception_budget, vision=vision)
    except ModelMissingError as error:
        _log.warning("replicas see nothing: %s", error)
        return None
