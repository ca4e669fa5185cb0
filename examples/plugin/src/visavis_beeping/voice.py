"""A voice that beeps once for every word."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from visavis.audio import PLAYOUT_RATE_HZ
from visavis.layers.tts import Speech, TextToSpeech, Word
from visavis.layers.tts.spoken_text import spoken_text

WORD_S = 0.2


class Options(BaseModel):
    """What a persona may say of it."""

    model_config = ConfigDict(extra="forbid")

    pitch_hz: float = Field(440, ge=50, le=4000)


class Beeping:
    """A `visavis.layers.tts.TextToSpeech`."""

    def __init__(self, pitch_hz: float) -> None:
        self._pitch_hz = pitch_hz

    async def stream(self, text: str) -> AsyncIterator[Speech]:
        """Beep `text`."""
        words = text.split() if spoken_text(text) else []
        if not words:
            return
        time_s = np.arange(round(len(words) * WORD_S * PLAYOUT_RATE_HZ)) / PLAYOUT_RATE_HZ
        beep = np.sin(2 * np.pi * self._pitch_hz * time_s) * (time_s % WORD_S < WORD_S / 2)
        timed = tuple(Word(word, index * WORD_S, (index + 1) * WORD_S) for index, word in enumerate(words))
        yield Speech((8000 * beep).astype(np.int16), timed, ())


def open_voice(options: dict[str, Any]) -> TextToSpeech:
    """Called for each conversation, with the other fields of `layers.tts`."""
    return Beeping(Options.model_validate(options).pitch_hz)


open_voice.options = Options  # type: ignore[attr-defined]
open_voice.about = {"licence": "Apache-2.0", "languages": "any", "cost": "no"}  # type: ignore[attr-defined]
