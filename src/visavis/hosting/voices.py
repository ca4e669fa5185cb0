"""The voices of a server's replicas: those that are loaded. Replicas without one speak with the stock voice."""

import asyncio
from pathlib import Path

from visavis.errors import BadInputError, EngineError
from visavis.hosting.plan import Plan
from visavis.layers.tts import TextToSpeech
from visavis.layers.tts.hibari import Hibari
from visavis.replica.bundle import BundleError
from visavis.replica.voice.part import voice_in

LOADED = 4
"""Voices kept in memory; each takes some 60 MB."""


class Voices:
    """Voices in memory. Owner of which are loaded."""

    def __init__(self) -> None:
        self._loaded: dict[Path, Hibari | None] = {}
        self._loading = asyncio.Lock()

    async def voice(self, plan: Plan) -> TextToSpeech | None:
        """The plan's replica's own voice, warm; None where it has none. Raises `EngineError` for a damaged one."""
        if plan.bundle is None:
            return None
        async with self._loading:
            if plan.bundle not in self._loaded:
                self._loaded[plan.bundle] = await _load(plan.bundle)
            found = self._loaded[plan.bundle] = self._loaded.pop(plan.bundle)  # the last used last
            while len(self._loaded) > LOADED:
                del self._loaded[next(iter(self._loaded))]
        return found


async def _load(bundle: Path) -> Hibari | None:
    try:
        own = await asyncio.to_thread(voice_in, bundle)
    except (BundleError, BadInputError) as error:
        raise EngineError("voice", str(error)) from error
    if own is None:
        return None
    voice = await asyncio.to_thread(lambda: Hibari(voice=own))
    await voice.warm_up()
    return voice
