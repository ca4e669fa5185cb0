"""A reply that a client sends as sound, chunk by chunk, while it is being played."""

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.conversation.clock import Clock
from visavis.conversation.incoming_sound import IncomingSound
from visavis.conversation.latency import Waterfall
from visavis.conversation.playout import SEGMENT, Segment
from visavis.replica import LOOK_AHEAD_S, Renderer

CUSHION_S = 0.08
"""How long after its first chunk a stream begins. Chunks that come in real time may then be 40 ms late, whatever their
length, because 40 ms are taken at a time."""

LONGER_AFTER_GAP_S = 0.04
LONGEST_CUSHION_S = 0.24
"""Who was late once is given more time."""

FORGOTTEN_AFTER_S = 5.0
"""A stream from which nothing has come for so long is taken for ended; its client forgot to say so."""

_LOOK_AHEAD = round(LOOK_AHEAD_S * PLAYOUT_RATE_HZ)
_FADE = PLAYOUT_RATE_HZ * 5 // 1000
_NOTHING: Pcm = np.zeros(0, np.int16)


class SoundReply:
    """Sound on its way to the person, with a mouth. A `Source` for the playout. Owner of what waits to be played.

    Nobody knows its words. Where sound fails to come in time there is silence, faded at both sides.
    """

    failure: str | None = None
    took_s: float | None = None

    def __init__(
        self,
        renderer: Renderer[object],
        clock: Clock,
        cushion_s: float = CUSHION_S,
        forgotten_after_s: float = FORGOTTEN_AFTER_S,
    ) -> None:
        """`cushion_s` is how long its first sound waits for more; after `forgotten_after_s` of nothing it has ended."""
        self.waterfall = Waterfall()
        self.played_s = 0.0
        """Seconds of it that have been taken, silences not counted that were put in where it came late."""
        self._sound = IncomingSound()
        self._mouth = renderer.follow_sound()
        self._clock = clock
        self._cushion_s = cushion_s
        self._forgotten_after_s = forgotten_after_s
        self._waits_since: float | None = None
        self._silent_since = clock.now()
        self._flows = False
        self._after_gap = False
        self._last_sample = 0

    def feed(self, pcm: Pcm, rate_hz: int) -> None:
        """Take the next chunk."""
        if self._waits_since is None:
            self._waits_since = self._clock.now()
        self._sound.feed(pcm, rate_hz)

    def close(self) -> None:
        """No chunk will follow."""
        self._sound.close()

    @property
    def closed(self) -> bool:
        """No chunk will follow."""
        return self._sound.closed

    @property
    def waiting_bytes(self) -> int:
        """Size of the chunks that wait, as they came."""
        return self._sound.waiting_bytes

    def take(self) -> Segment | None:
        """The next 40 ms, or None while they are not there."""
        if not self._flows and not self._may_begin():
            return None
        sound = self._sound.peek(SEGMENT + _LOOK_AHEAD)
        if len(sound) < SEGMENT and not self._sound.closed:
            return self._gap(sound)
        self._flows = True
        self._sound.take(SEGMENT)
        if not len(sound):
            return None
        if self._after_gap:
            self._after_gap = False
            sound = sound.copy()
            sound[:_FADE] = (sound[:_FADE] * np.linspace(0, 1, len(sound[:_FADE]))).astype(np.int16)
        return self._segment(sound)

    @property
    def exhausted(self) -> bool:
        """All of it has been played."""
        return self._sound.closed and not len(self._sound.peek(1))

    def drop(self) -> None:
        """Nobody will hear the rest."""
        self._sound.close()
        self._sound.clear()

    def heard_text(self, heard_s: float, from_s: float = 0.0, *, opener: bool = True) -> str:
        """Its words are not known."""
        return ""

    def rewind(self, heard_s: float) -> float:
        """What was played is not kept: it goes on where it was."""
        return heard_s

    async def begun(self) -> None:
        """It has nothing before its own sound."""

    def _may_begin(self) -> bool:
        if self._sound.closed:
            return True
        if self._waits_since is None:
            if self._clock.now() - self._silent_since > self._forgotten_after_s:
                self._sound.close()
            return False
        return self._clock.now() - self._waits_since >= self._cushion_s

    def _gap(self, rest: Pcm) -> Segment | None:
        """The sound runs out: play what is left of it, and wait for more than before."""
        self._flows, self._after_gap, self._waits_since = False, True, None
        self._silent_since = self._clock.now()
        self._cushion_s = min(self._cushion_s + LONGER_AFTER_GAP_S, LONGEST_CUSHION_S)
        self._sound.take(SEGMENT)
        return self._segment(rest) if len(rest) or self._last_sample else None

    def _segment(self, sound: Pcm) -> Segment:
        """The first 40 ms of `sound`, as a segment; where it ends earlier, it falls to silence without a click."""
        known = sound[:SEGMENT]
        self.played_s += len(known) / PLAYOUT_RATE_HZ
        last = int(known[-1]) if len(known) else self._last_sample
        if len(known) < SEGMENT:
            fall = np.linspace(last, 0, min(_FADE, SEGMENT - len(known)))
            rest = np.zeros(SEGMENT - len(known), np.int16)
            rest[: len(fall)] = fall
            known = np.concatenate([known, rest])
            last = 0
        self._last_sample = last
        return Segment(known, self._mouth.next(known if len(sound) < SEGMENT else sound))
