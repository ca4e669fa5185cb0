"""A chat over REST or WebSocket: a call with nobody on the line, and a voice that is only read."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.errors import BadInputError
from visavis.layers.tts import Speech, Word
from visavis.replica import Frame
from visavis.transport.queues import DropOldest

WORD_S = 0.04
"""As long as one frame: words come as fast as the conversation's clock ticks."""


class TextCall:
    """A `visavis.transport.Call` that is connected at once and lasts until it is closed."""

    def __init__(self) -> None:
        self._sound: DropOldest[Samples] = DropOldest(1)
        self._messages: DropOldest[Mapping[str, Any] | BadInputError] = DropOldest(1)

    async def connected(self) -> bool:
        """True; see `visavis.transport.Call`, as for all that follow."""
        return True

    def hear(self) -> AsyncIterator[Samples]:
        return self._sound

    def messages(self) -> AsyncIterator[Mapping[str, Any] | BadInputError]:
        return self._messages

    def send_audio(self, pcm: Pcm, position: int) -> None:
        pass

    def send_frame(self, frame: Frame, position: int) -> None:
        pass

    def send_event(self, event: Mapping[str, Any]) -> None:
        pass

    async def close(self) -> None:
        self._sound.end()
        self._messages.end()


class TypingVoice:
    """A `visavis.layers.tts.TextToSpeech` that makes no sound and takes hardly any time."""

    async def stream(self, text: str) -> AsyncIterator[Speech]:
        """All of `text` at once."""
        words = tuple(Word(word, i * WORD_S, (i + 1) * WORD_S) for i, word in enumerate(text.split()))
        if words:
            yield Speech(np.zeros(round(len(words) * WORD_S * PLAYOUT_RATE_HZ), np.int16), words, ())
