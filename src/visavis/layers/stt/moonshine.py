"""The built-in recogniser (English): Moonshine tiny for partial texts, Moonshine base for final ones.

Tiny is quick enough to decode again and again while the person speaks; base is more accurate but repeats itself on
unfinished speech. Each has one thread of its own, shared by all calls: a final text never waits for a partial one,
and recognition never takes more than two cores. State is changed on the event loop only; a thread gets sound and
gives back text, so a cancelled request leaves nothing half done.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import EngineError
from visavis.layers.stt.moonshine_networks import MoonshineBase, MoonshineTiny, Network, StoppedError, Transcript
from visavis.layers.stt.recording import Recording, Stretch

MIN_SAMPLES = LISTEN_RATE_HZ * 3 // 4
"""Both networks write junk for less than half a second; shorter speech is set into silence of this length.

Of 35 words of 0.3-0.5 s cut out of sentences, base knew 20 and tiny 22 so, 11 and 9 bare, and no more in a second.
"""


class Moonshine:
    """A `SpeechToText`. Loading takes about a second, so make it outside the event loop."""

    def __init__(self, base: Path | None = None, tiny: Path | None = None) -> None:
        """Load from the folders `base` and `tiny`, by default those of `visavis.models`.

        Raises `visavis.models.ModelMissingError`.
        """
        base_network = MoonshineBase(base or models.path("moonshine-base-en"))
        tiny_network = MoonshineTiny(tiny or models.path("moonshine-tiny-en"))
        self._tiny = _Worker(tiny_network, "moonshine-tiny")
        self._base = _Worker(_NeverMute(base_network, tiny_network), "moonshine-base")

    def utterance(self) -> "MoonshineUtterance":
        """Start recognising a new stretch of speech."""
        return MoonshineUtterance(self._tiny, self._base)

    def close(self) -> None:
        """End both threads after what they are doing."""
        self._tiny.close()
        self._base.close()


@dataclass(frozen=True, slots=True)
class _Known:
    """The text of the newest piece from frame `start` on; it holds as long as nobody speaks after `heard_until`."""

    start: int
    heard_until: int
    transcript: Transcript


class MoonshineUtterance:
    """Recognition of one stretch of speech; see `visavis.layers.stt.Utterance`.

    A piece that has come to its end is given to base at once, so that at the end of a long turn only the last piece is
    left to do. Asking again after nothing but silence was added costs nothing.
    """

    def __init__(self, tiny: "_Worker", base: "_Worker") -> None:
        self._tiny = tiny
        self._base = base
        self._recording = Recording()
        self._pieces: list[Future[Transcript]] = []
        self._known: dict[_Worker, _Known] = {}
        self._finishing = asyncio.Lock()
        self._stop_partial = threading.Event()

    def feed(self, samples: Samples) -> None:
        """Append 16 kHz sound. Never blocks."""
        self._recording.append(samples)

    async def partial(self) -> str:
        """Text of everything fed so far, the newest piece by tiny. Raises `visavis.errors.EngineError`."""
        stop = self._stop_partial = threading.Event()
        try:
            return await self._text(self._tiny, stop)
        except StoppedError:  # a final text was asked for meanwhile
            return await self.final()

    async def final(self) -> str:
        """Text of everything fed so far, all by base. Raises `visavis.errors.EngineError`.

        Stops a partial text that is being made; whoever waits for that gets the final one too.
        """
        self._stop_partial.set()
        async with self._finishing:
            return await self._text(self._base, threading.Event())

    async def _text(self, worker: "_Worker", stop: threading.Event) -> str:
        while (piece := self._recording.cut()) is not None:
            self._pieces.append(self._base.submit(piece.samples, threading.Event()))
        newest = await self._newest_text(worker, stop)
        earlier = [(await asyncio.shield(asyncio.wrap_future(piece))).text for piece in list(self._pieces)]
        return " ".join(filter(None, [*earlier, newest]))

    async def _newest_text(self, worker: "_Worker", stop: threading.Event) -> str:
        speech = self._recording.speech()
        if speech is None:
            return ""
        known = self._known.get(worker)
        if known and known.start == speech.piece_start and known.heard_until >= speech.spoken_until:
            return known.transcript.text
        try:
            transcript = await asyncio.wrap_future(worker.submit(speech.samples, stop, self._draft(speech)))
        except asyncio.CancelledError:
            stop.set()
            raise
        self._known[worker] = _Known(speech.piece_start, speech.heard_until, transcript)
        return transcript.text

    def _draft(self, speech: Stretch) -> Sequence[int]:
        """What the newest piece said when it was last looked at; its end has been overtaken by what followed."""
        found = [known for known in self._known.values() if known.start == speech.piece_start]
        return max(found, key=lambda known: known.heard_until).transcript.tokens if found else ()


class _NeverMute:
    """Base, and tiny for the speech that base has no word for: on about 1 % of clear sentences it ends at once."""

    def __init__(self, base: Network, tiny: Network) -> None:
        self._base = base
        self._tiny = tiny

    def transcribe(self, samples: Samples, stop: threading.Event, draft: Sequence[int] = ()) -> Transcript:
        by_base = self._base.transcribe(samples, stop, draft)
        return by_base if by_base.text else self._tiny.transcribe(samples, stop, draft)


class _Worker:
    """A network and its thread."""

    def __init__(self, network: Network, name: str) -> None:
        self._network = network
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    def submit(self, samples: Samples, stop: threading.Event, draft: Sequence[int] = ()) -> Future[Transcript]:
        try:
            return self._executor.submit(self._transcribe, samples, stop, draft)
        except RuntimeError as error:
            raise EngineError("speech to text", "the recogniser has been closed") from error

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _transcribe(self, samples: Samples, stop: threading.Event, draft: Sequence[int]) -> Transcript:
        if stop.is_set():
            raise StoppedError
        lacking = max(0, MIN_SAMPLES - len(samples))
        padded = np.pad(samples, (lacking // 2, lacking - lacking // 2))
        try:
            return self._network.transcribe(padded, stop, draft)
        except StoppedError:
            raise
        except Exception as error:
            raise EngineError("speech to text", f"{type(error).__name__}: {error}") from error
