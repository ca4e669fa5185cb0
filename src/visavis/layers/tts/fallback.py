"""A voice that is replaced by another one while it fails, so that a call never falls silent for a vendor."""

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from visavis.errors import EngineError
from visavis.layers.tts import Speech, TextToSpeech

_log = logging.getLogger(__name__)

REST_S = 30.0
"""How long a voice that has failed is not asked again."""


class FallbackVoice:
    """A `visavis.layers.tts.TextToSpeech` of two."""

    def __init__(self, first: TextToSpeech, second: TextToSpeech) -> None:
        self._first, self._second = first, second
        self._rests_until = 0.0

    async def stream(self, text: str) -> AsyncGenerator[Speech, None]:
        """Speak with the first; with the second what the first could not begin."""
        if time.monotonic() >= self._rests_until:
            begun = False
            try:
                async with aclosing(self._first.stream(text)) as pieces:  # type: ignore[type-var]
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except EngineError as error:
                _log.error("%s; the built-in voice speaks for %g s", error, REST_S)
                self._rests_until = time.monotonic() + REST_S
                if begun:
                    return  # the clause broke off; the next one is spoken by the other
        async with aclosing(self._second.stream(text)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece
