"""The built-in English voices and those that were trained: hibari, 24 kHz, far faster than speech on one CPU core."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.errors import EngineError
from visavis.layers.tts import Speech
from visavis.layers.tts.emotion import felt
from visavis.layers.tts.half_band import double_rate
from visavis.layers.tts.hibari_network import HEART, HEART_SHA256, SAMPLE_RATE_HZ, HibariNetwork
from visavis.layers.tts.manner import PLAIN, Manner
from visavis.layers.tts.pronunciation import Pronouncer, Pronunciation
from visavis.layers.tts.silence import audible_part
from visavis.layers.tts.spoken_text import spoken_text
from visavis.layers.tts.stock_voices import DEFAULT, stock_voice
from visavis.layers.tts.timing import timed_phonemes, timed_words
from visavis.layers.tts.voice_file import Voice
from visavis.layers.tts.watermark import marked

KEEP_BEFORE_S = 0.03
KEEP_AFTER_S = 0.03
"""Silence that stays at the ends, so that soft beginnings and endings are not clipped."""

_FADE_S = 0.005

_PAUSE_S = dict.fromkeys(".?!…", 0.25) | dict.fromkeys(",;:—", 0.12)
"""Silence after a piece of speech, by its last character; as long as people pause there."""


class Hibari:
    """A `visavis.layers.tts.TextToSpeech` for English; one piece per sentence, with a pause after punctuation.

    Loading takes about a second; synthesis runs on one worker thread of its own. Raises
    `visavis.errors.EngineError` when the voice's file is missing or is not the one that `sha256` names.
    """

    def __init__(
        self,
        graph: Path = HEART,
        sha256: str = HEART_SHA256,
        *,
        voice: Voice | str = DEFAULT,
        manner: Manner = PLAIN,
        watermark: bool = True,
    ) -> None:
        """`voice` is a stock voice's name or one that was read from its file; `manner` is how it speaks by default.

        Raises `visavis.errors.BadInputError` for a name that there is not.
        """
        own = stock_voice(voice).manner if isinstance(voice, str) else voice.about.manner.manner()
        weights = None if isinstance(voice, str) else voice.weights
        self.manner = own.then(manner)
        self._watermark = watermark
        self._network = HibariNetwork(graph, sha256, weights)
        self._pronouncer = Pronouncer(self._network.alphabet)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="hibari")

    async def warm_up(self) -> None:
        """Run everything once, unknown words included, so that a call's first sentence is as fast as its next."""
        async for _ in self.stream("Zyxel warms up with 12 words, so that nobody has to wait."):
            pass

    async def stream(self, text: str, manner: Manner = PLAIN) -> AsyncIterator[Speech]:
        """Speak `text`; see `visavis.layers.tts.TextToSpeech`. Text that cannot be said yields nothing."""
        loop = asyncio.get_running_loop()
        for feeling, part in felt(text):
            how = self.manner.then(manner).then(feeling)
            said = self._pronouncer.pronounce(spoken_text(part))
            while (speech := await loop.run_in_executor(self._worker, self._next_speech, said, how)) is not None:
                yield speech

    def close(self) -> None:
        """End its thread; nothing can be said any more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _next_speech(self, pronunciations: Iterator[Pronunciation], manner: Manner) -> Speech | None:
        try:
            return next((s for p in pronunciations if (s := self._speak(p, manner)) is not None), None)
        except Exception as error:  # the network's and the dictionaries' own errors have no common base
            raise EngineError("voice", f"could not speak: {error}") from error

    def _speak(self, pronunciation: Pronunciation, manner: Manner) -> Speech | None:
        phonemes = pronunciation.phonemes
        if not any(c.isalpha() for c in phonemes):
            return None
        utterance = self._network.speak(phonemes, manner)
        heard = audible_part(utterance.samples, SAMPLE_RATE_HZ, KEEP_BEFORE_S, KEEP_AFTER_S)
        if heard.start == heard.stop:
            return None
        duration_s = (heard.stop - heard.start) / SAMPLE_RATE_HZ
        starts_s = np.clip(utterance.starts_s - heard.start / SAMPLE_RATE_HZ, 0.0, duration_s)
        samples = faded(utterance.samples[heard])
        return Speech(
            with_pause(double_rate(marked(samples) if self._watermark else samples), phonemes[-1]),
            tuple(timed_words(pronunciation.words, phonemes, starts_s)),
            tuple(timed_phonemes(phonemes, starts_s)),
        )


def faded(samples: Samples) -> Samples:
    """`samples` with their ends brought to zero, so that nothing clicks where silence follows."""
    length = min(round(_FADE_S * SAMPLE_RATE_HZ), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    faded = samples.copy()
    faded[:length] *= ramp
    faded[len(faded) - length :] *= ramp[::-1]
    return faded


def with_pause(pcm: Pcm, last_character: str) -> Pcm:
    """`pcm` and the silence that people leave after `last_character`."""
    pause = round(_PAUSE_S.get(last_character, 0.0) * PLAYOUT_RATE_HZ)
    return np.concatenate([pcm, np.zeros(pause, np.int16)])
