"""Kokoro-82M: more natural than the built-in voice and some fifty times slower, with many voices.

The network (`visavis models pull kokoro-82m`) reads the phonemes that the built-in voice is given, in English. Voices
are files in the server's folder: 510 rows of 256 float32, one row for each length of a text.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.audio import PLAYOUT_RATE_HZ, Samples
from visavis.errors import EngineError
from visavis.layers.settings import KokoroSettings
from visavis.layers.tts import Speech
from visavis.layers.tts.half_band import double_rate
from visavis.layers.tts.hibari import KEEP_AFTER_S, KEEP_BEFORE_S, faded, with_pause
from visavis.layers.tts.kokoro_files import MODEL, folder
from visavis.layers.tts.openai_speech import EstimatedWords
from visavis.layers.tts.pronunciation import Pronouncer, Pronunciation
from visavis.layers.tts.silence import audible_part
from visavis.layers.tts.spoken_text import spoken_text
from visavis.layers.tts.watermark import marked
from visavis.models.inference import session

RATE_HZ = 24_000
ROWS, WIDTH = 510, 256
"""Of a voice."""

_EDGE = 0
"""The token at both ends of a text."""


class Kokoro:
    """A `visavis.layers.tts.TextToSpeech` for one conversation; the network is shared by all."""

    def __init__(self, settings: KokoroSettings) -> None:
        self._settings = settings
        self._style: NDArray[np.float32] | None = None

    async def stream(self, text: str) -> AsyncGenerator[Speech, None]:
        """Speak `text`; see `visavis.layers.tts.TextToSpeech`. Words are placed by their length."""
        said = spoken_text(text)
        if not said:
            return
        loop = asyncio.get_running_loop()
        thread = _thread()
        sentences: Iterator[Pronunciation] | None = None
        while True:
            try:
                if sentences is None:
                    sentences = await loop.run_in_executor(thread, lambda: _network().pronouncer.pronounce(said))
                speech = await loop.run_in_executor(thread, self._next, sentences)
            except EngineError:
                raise
            except Exception as error:  # the network's and the dictionaries' own errors have no common base
                raise EngineError("voice", f"Kokoro could not speak: {error}") from error
            if speech is None:
                return
            yield speech

    def _next(self, sentences: Iterator[Pronunciation]) -> Speech | None:
        if self._style is None:
            self._style = _voice(self._settings.voice)
        for sentence in sentences:
            if not any(c.isalpha() for c in sentence.phonemes):
                continue
            sound = _network().speak(sentence.phonemes, self._style, self._settings.speed)
            heard = audible_part(sound, RATE_HZ, KEEP_BEFORE_S, KEEP_AFTER_S)
            if heard.start == heard.stop:
                continue
            pcm = with_pause(double_rate(marked(faded(sound[heard]))), sentence.phonemes[-1])
            words = EstimatedWords([word.text for word in sentence.words], self._settings.speed)
            return Speech(pcm, tuple(words.rest(len(pcm) / PLAYOUT_RATE_HZ)), ())
        return None


class _Network:
    """Kokoro and what it reads. Loads in a second or two."""

    def __init__(self) -> None:
        where = models.path(MODEL)
        self._tokens: dict[str, int] = json.loads((where / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self._session = session(where / "model.onnx")
        self.pronouncer = Pronouncer(frozenset(self._tokens))

    def speak(self, phonemes: str, style: NDArray[np.float32], speed: float) -> Samples:
        """Sound at `RATE_HZ`."""
        tokens = [self._tokens[c] for c in phonemes if c in self._tokens][: ROWS - 2]
        given = {
            "tokens": np.array([[_EDGE, *tokens, _EDGE]], np.int64),
            "style": style[min(len(tokens), ROWS) - 1][None],
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._session.run(None, given)[0], np.float32).ravel()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="kokoro")


@cache  # called on that thread alone
def _network() -> _Network:
    return _Network()


def _voice(name: str) -> NDArray[np.float32]:
    """A voice from its file. Raises `EngineError`."""
    try:
        read = np.fromfile(folder() / f"{name}.bin", "<f4")
    except OSError as error:
        raise EngineError("voice", f"Kokoro has no voice {name!r} ({error.strerror})") from None
    if len(read) != ROWS * WIDTH or not np.isfinite(read).all():
        raise EngineError("voice", f"{name}.bin is no voice of Kokoro: {len(read)} numbers instead of {ROWS * WIDTH}")
    return read.reshape(ROWS, WIDTH)
