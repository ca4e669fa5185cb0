"""What a voice-to-voice model says: its sound, and its words as far as the model tells them."""

import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.conversation.clock import Clock
from visavis.conversation.latency import Waterfall
from visavis.conversation.playout import SEGMENT
from visavis.conversation.sound_reply import SoundReply
from visavis.replica import Renderer

CHARACTERS_PER_S = 15.0
"""Of English speech: where the words are is estimated until all of the sound is known, and from its length then."""

LONGEST_GAP_S = 15.0
"""A model that says for so long neither something nor that it is done has gone wrong."""


class VoicedReply(SoundReply):
    """Sound of a model, which comes faster than it is played, so that it begins as soon as 40 ms of it are there."""

    def __init__(self, item_id: str, renderer: Renderer[object], clock: Clock, waterfall: Waterfall) -> None:
        """`item_id` is what the model calls it."""
        super().__init__(renderer, clock, cushion_s=0.0, forgotten_after_s=LONGEST_GAP_S)
        self.item_id = item_id
        self.waterfall = waterfall
        self.came_s = 0.0
        """Seconds of sound that have come."""
        self._text = ""
        self._shown = 0

    def feed(self, pcm: Pcm, rate_hz: int) -> None:
        """Take the next chunk."""
        self.waterfall.mark("first_sound", self._clock.now())
        self.came_s += len(pcm) / rate_hz
        super().feed(pcm, rate_hz)

    def add_words(self, text: str) -> None:
        """Take the next words."""
        self._text += text

    def heard_text(self, heard_s: float, from_s: float = 0.0, *, opener: bool = True) -> str:
        """The words that were heard by `heard_s`, as far as their length tells; never fewer than before."""
        words = self._text.split()
        if self.closed and self.played_s >= self.came_s - 1 / PLAYOUT_RATE_HZ:
            count = len(words)
        else:
            known = self.came_s and self.closed
            rate = max(len(self._text) / self.came_s, 1.0) if known else CHARACTERS_PER_S
            ends = np.cumsum([len(word) + 1 for word in words])
            middles = ends - np.array([len(word) / 2 + 1 for word in words])
            count = int(np.searchsorted(middles, self.played_s * rate, side="right")) if words else 0
        self._shown = max(self._shown, count)
        return " ".join(words[: self._shown])

    def drop(self) -> None:
        """Nobody will hear the rest; what was heard is judged as if more could have come."""
        if not self.closed:
            self.came_s = max(self.came_s, len(self._text) / CHARACTERS_PER_S)
        super().drop()

    def _may_begin(self) -> bool:
        return super()._may_begin() and (self.closed or len(self._sound.peek(SEGMENT)) == SEGMENT)
