"""THE clock of a call: sound and pictures leave from one sample counter.

Owner of the playout position. Every 40 ms a segment of sound is taken from whoever is being played, its picture is
rendered the moment its sound is sent, and silence with idle pictures fills every gap, so both streams never stop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.conversation.clock import Clock
from visavis.replica import FRAME_S, Attitude, Renderer
from visavis.transport import Call

_log = logging.getLogger(__name__)

PACKET = PLAYOUT_RATE_HZ // 50
"""Samples of one 20 ms packet of sound."""

SEGMENT = int(PLAYOUT_RATE_HZ * FRAME_S)
"""Samples of the 40 ms of sound that belong to one frame."""

FADE = PLAYOUT_RATE_HZ * 30 // 1000
"""Samples in which speech that is cut off falls to silence."""

_MAX_LAG_S = 0.2
_SILENCE = np.zeros(PACKET, np.int16)
_NOTHING = _SILENCE[:0]


@dataclass(frozen=True, slots=True)
class Segment:
    """40 ms of speech: int16[1920] at 48 kHz, and the motion of the mouth that says it."""

    pcm: Pcm
    motion: object


class Source(Protocol):
    """Something that can be played."""

    def take(self) -> Segment | None:
        """The next segment, or None when it is not ready yet."""
        ...

    @property
    def exhausted(self) -> bool:
        """No segment will follow."""
        ...


class Playing:
    """One source on its way to the person. Owner of how much of it was heard."""

    def __init__(self, source: Source, heard_s: float = 0.0) -> None:
        self.source = source
        self.started_at: float | None = None
        """Clock time when the first sound left."""
        self.first_frame_at: float | None = None
        """Clock time when the frame of the first sound left."""
        self.heard_s = heard_s
        """Seconds of the source that have left."""
        self.interrupted = False
        self.over = False
        self._moved = asyncio.Event()
        self._seen = asyncio.Event()

    async def progress(self) -> AsyncIterator[float]:
        """Yield `heard_s` whenever it has grown, and once more at the end."""
        while not self.over:
            self._moved.clear()
            await self._moved.wait()
            yield self.heard_s

    async def seen(self) -> None:
        """Return when the first frame of it has left, or when there will be none."""
        await self._seen.wait()

    def show(self, at: float) -> None:
        """A frame of it left at clock time `at`."""
        if self.first_frame_at is None:
            self.first_frame_at = at
            self._seen.set()

    def advance(self, seconds: float) -> None:
        """Count `seconds` as heard."""
        self.heard_s += seconds
        self._moved.set()

    def finish(self, *, interrupted: bool) -> None:
        """Nothing more of it will be heard."""
        self.interrupted = interrupted
        self.over = True
        self._moved.set()
        self._seen.set()


class Playout:
    """Plays one source at a time into a call."""

    def __init__(
        self,
        call: Call,
        renderer: Renderer[object],
        clock: Clock,
        executor: Executor | None = None,
        sent: Callable[[Pcm], None] = lambda pcm: None,
    ) -> None:
        """`executor` runs the renderer; None is the event loop's own. `sent` is told every packet of sound."""
        self.attitude = Attitude.IDLE
        """What the face shows while nothing is played."""
        self.position = 0
        """Samples sent since the call began."""
        self._call = call
        self._renderer = renderer
        self._clock = clock
        self._executor = executor
        self._sent = sent
        self._playing: Playing | None = None
        self._held = False
        self._second_half: Pcm | None = None
        self._fading: Pcm = _NOTHING
        self._rendering: asyncio.Task[None] | None = None

    def play(self, source: Source, heard_s: float = 0.0) -> Playing:
        """Play `source` from the next segment on, instead of whatever plays now; `heard_s` of it were heard before."""
        self.clear()
        self._playing = Playing(source, heard_s)
        return self._playing

    def clear(self) -> float:
        """Stop sound and mouth at the next packet; returns the seconds that were heard."""
        if (playing := self._playing) is None:
            return 0.0
        self._fade_out(playing)
        self._playing, self._held = None, False
        playing.finish(interrupted=True)
        return playing.heard_s

    @property
    def held(self) -> bool:
        """Something is being played but kept silent."""
        return self._held

    def hold(self) -> None:
        """Fall silent at the next packet, mouth closed, until `go_on` or `clear`."""
        if self._playing and not self._held:
            self._fade_out(self._playing)
            self._held = True

    def go_on(self, heard_s: float) -> None:
        """Play on after a `hold`; the source was set back so that `heard_s` of it count as heard."""
        if self._playing:
            self._playing.heard_s = heard_s
        self._held = False

    async def run(self) -> None:
        """Send sound and frames in real time until cancelled."""
        origin = self._clock.now()
        try:
            while True:
                due = origin + self.position / PLAYOUT_RATE_HZ
                await self._clock.sleep_until(due)
                lag = self._clock.now() - due
                if lag > _MAX_LAG_S:
                    # The machine stood still; catching up would pile sound up at the far end, so time is given up.
                    _log.warning("playout stood still for %d ms", 1000 * lag)
                    origin += lag
                self._tick()
        finally:
            if self._rendering:
                self._rendering.cancel()

    def _tick(self) -> None:
        if self.position % SEGMENT == 0:
            self._start_segment()
        else:
            self._finish_segment()
        self.position += PACKET

    def _start_segment(self) -> None:
        playing = None if self._held else self._playing
        segment = playing.source.take() if playing else None
        if playing and segment is None and playing.source.exhausted:
            self._playing = None
            playing.finish(interrupted=False)
        self._send(segment.pcm[:PACKET] if segment else _SILENCE)
        if playing and segment:
            self._second_half = segment.pcm[PACKET:]
            if playing.started_at is None:
                playing.started_at = self._clock.now()
            playing.advance(FRAME_S / 2)
        if self._rendering and not self._rendering.done():
            return  # the frame before is late; this one is left out
        self._rendering = asyncio.create_task(self._render(self.position, segment, playing if segment else None))

    def _finish_segment(self) -> None:
        pcm, self._second_half = self._second_half, None
        self._send(pcm if pcm is not None else _SILENCE)
        if pcm is not None and self._playing:
            self._playing.advance(FRAME_S / 2)

    def _send(self, pcm: Pcm) -> None:
        if len(self._fading):
            tail, self._fading = self._fading[:PACKET], self._fading[PACKET:]
            mixed = pcm.astype(np.int32)
            mixed[: len(tail)] += tail
            pcm = np.clip(mixed, -32768, 32767).astype(np.int16)
        self._sent(pcm)
        self._call.send_audio(pcm, self.position)

    def _fade_out(self, playing: Playing) -> None:
        """Let what was about to be sent fall to silence."""
        if self._held:
            return
        parts = [] if self._second_half is None else [self._second_half]
        self._second_half = None
        while playing.started_at is not None and sum(map(len, parts)) < FADE and (segment := playing.source.take()):
            parts.append(segment.pcm)
        rest = np.concatenate([*parts, _NOTHING])[:FADE]
        self._fading = (rest * np.linspace(1, 0, len(rest))).astype(np.int16)

    async def _render(self, position: int, segment: Segment | None, playing: Playing | None) -> None:
        attitude = Attitude.SPEAKING if segment else self.attitude
        try:
            frame = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._renderer.render, segment.motion if segment else None, attitude
            )
        except Exception:
            _log.exception("a frame could not be rendered; the call goes on without it")
            return
        self._call.send_frame(frame, position)
        if playing:
            playing.show(self._clock.now())
