"""The voices that come with visavis, by name.

heart is the network's own. The others are heart's network heard through other throats: pitch and resonances moved, so
no person's voice is in them but the one that the network was licensed with (hibari-tts, Apache-2.0).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from visavis.errors import BadInputError
from visavis.layers.tts.manner import PLAIN, Manner


@dataclass(frozen=True, slots=True)
class StockVoice:
    """One of them."""

    name: str
    gender: Literal["female", "male"]
    described: str
    manner: Manner


# Chosen by ear of a speaker encoder (`benchmarks/voice_speakers.py`): similarities of .69 to .84 to each other, where
# utterances of one voice have .88 to .94; no word is misheard.
STOCK_VOICES = (
    StockVoice("heart", "female", "warm and lively", PLAIN),
    StockVoice("nora", "female", "deeper and calm", Manner(0.95, -1.0, 0.85, transpose=0.84, throat=1.06)),
    StockVoice("adam", "male", "deep and even", Manner(0.95, -2.0, 0.8, transpose=0.54, throat=1.2)),
    StockVoice("leo", "male", "younger and brisk", Manner(1.05, 2.0, 1.1, transpose=0.62, throat=1.08)),
)
VOICE_NAMES = tuple(voice.name for voice in STOCK_VOICES)
DEFAULT = "heart"
MADE_AT = datetime(2026, 11, 1, tzinfo=UTC)


def stock_voice(name: str, field: str = "voice") -> StockVoice:
    """The voice of that name. Raises `BadInputError` that lists the names."""
    for voice in STOCK_VOICES:
        if voice.name == name:
            return voice
    raise BadInputError(field, name, "one of " + ", ".join(VOICE_NAMES))
