"""The sound that a client appends: what is waiting, and when somebody speaks in it.

Owner of the sound since the last commit. Time is counted in samples, because clients send as fast as they like.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.turn import VAD_FRAME
from visavis.realtime.description import RATE_HZ, ProtocolError
from visavis.resampling import Resampler, as_samples

LONGEST_S = 15 * 60
"""Of sound that waits."""

JUDGING_S = 0.4
"""So long the sound behind a pause is held back while it is found out whether the pause is the end; a client that sends
in real time loses nothing, since what was held back is then heard at once."""


class Buffer:
    """The input audio buffer of a session."""

    def __init__(self) -> None:
        self.heard_ms = 0.0
        """How much of the session's sound has been listened to."""
        self._resampler = Resampler(RATE_HZ, LISTEN_RATE_HZ)
        self._since_commit: list[Samples] = []
        self._kept = 0
        self._frames: deque[Samples] = deque()
        self._rest: Samples = np.zeros(0, np.float32)
        self._arrived = asyncio.Event()
        self._flows = asyncio.Event()
        self._flows.set()

    def hold(self) -> None:
        """A pause is being judged: let what follows wait, for a while."""
        self._flows.clear()

    def go_on(self) -> None:
        """It has been judged."""
        self._flows.set()

    def append(self, pcm: bytes) -> None:
        """Take sound as the client sent it: int16 at 24 kHz. Raises `ProtocolError` when too much waits."""
        sound = self._resampler.feed(as_samples(np.frombuffer(pcm, "<i2").astype(np.int16, copy=False)))
        if self._kept + len(sound) > LONGEST_S * LISTEN_RATE_HZ:
            text = f"The buffer holds at most {LONGEST_S} s; commit or clear it."
            raise ProtocolError("input_audio_buffer_full", text)
        self._since_commit.append(sound)
        self._kept += len(sound)
        joined = np.concatenate([self._rest, sound])
        whole = len(joined) // VAD_FRAME * VAD_FRAME
        self._frames.extend(joined[at : at + VAD_FRAME] for at in range(0, whole, VAD_FRAME))
        self._rest = joined[whole:]
        self._arrived.set()

    def take(self) -> Samples:
        """All sound since the last commit; the buffer is empty then."""
        sound = np.concatenate([*self._since_commit, np.zeros(0, np.float32)])
        self.clear()
        return sound

    def clear(self) -> None:
        """Forget the sound."""
        self._since_commit, self._kept = [], 0
        self._frames.clear()
        self._rest = self._rest[:0]

    def forget_turn(self) -> None:
        """A turn was taken from what has been listened to; what waits belongs to the next."""
        self._since_commit = [*self._frames, self._rest]
        self._kept = sum(map(len, self._since_commit))

    async def listen(self) -> AsyncIterator[Samples]:
        """The sound as it comes, 32 ms at a time; for ever."""
        while True:
            while self._frames:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(JUDGING_S):
                        await self._flows.wait()
                self._flows.set()
                if self._frames:
                    self.heard_ms += 1000 * VAD_FRAME / LISTEN_RATE_HZ
                    yield self._frames.popleft()
                    await asyncio.sleep(0)  # whoever listens may have something to do first
            self._arrived.clear()
            await self._arrived.wait()
