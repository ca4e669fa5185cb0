"""The voices of a server besides the usual one: those of replicas and personas that are loaded."""

import asyncio
from pathlib import Path

from visavis.errors import BadInputError, EngineError
from visavis.hosting.plan import Plan
from visavis.layers.tts import TextToSpeech
from visavis.layers.tts.hibari import Hibari
from visavis.layers.tts.stock_voices import DEFAULT
from visavis.replica.bundle import BundleError
from visavis.replica.voice.part import voice_in

LOADED = 4
"""Voices kept in memory; each takes some 60 MB."""


class Voices:
    """Voices in memory. Owner of which are loaded."""

    def __init__(self) -> None:
        self._loaded: dict[Path | str, Hibari | None] = {}
        self._loading = asyncio.Lock()

    async def voice(self, plan: Plan) -> TextToSpeech | None:
        """The stock voice that the persona names, else the replica's own, warm; None where the usual one is meant.

        Raises `EngineError` for a damaged one.
        """
        wanted = plan.persona.layers.tts.voice or plan.bundle
        if wanted in (None, DEFAULT):
            return None
        async with self._loading:
            if wanted not in self._loaded:
                self._loaded[wanted] = await _load(wanted)
            found = self._loaded[wanted] = self._loaded.pop(wanted)  # the last used last
            while len(self._loaded) > LOADED:
                del self._loaded[next(iter(self._loaded))]
        return found


async def _load(wanted: Path | str) -> Hibari | None:
    try:
        own = wanted if isinstance(wanted, str) else await asyncio.to_thread(voice_in, wanted)
    except (BundleError, BadInputError) as error:
        raise EngineError("voice", str(error)) from error
    if own is None:
        return None
    voice = await asyncio.to_thread(lambda: Hibari(voice=own))
    await voice.warm_up()
    return voice
