"""How the person sounds: listens along with the ear, and tells the observations what is unlike them.

Owner of the sound since the last measurement and of the manner of the turn they are in. Each second and a half of
sound is measured by itself on a worker thread, and what is left at a pause, so that it is known before the reply is.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.conversation.clock import Clock
from visavis.conversation.floor import Doing, Floor
from visavis.layers.perception import Behaviour, Noticed
from visavis.layers.perception.voice import Manner, UsualVoice, joined, manner

_log = logging.getLogger(__name__)

PIECE_S = 1.5
KEPT_S = 0.4
"""Of the piece before, so that a laugh on the border is heard."""
LOUD = 0.004
"""Loudest 20 ms (RMS, full scale 1) from which there may be something to hear outside a turn: -48 dB."""

Notice = Callable[[Sequence[Noticed]], None]


class Tone:
    """Of one person in one call."""

    def __init__(self, floor: Floor, clock: Clock, tasks: asyncio.TaskGroup, notice: Notice) -> None:
        self._floor = floor
        self._clock = clock
        self._tasks = tasks
        self._notice = notice
        self._usual = UsualVoice()
        self._sound: list[Samples] = []
        self._samples = 0
        self._fresh = 0
        """Samples that were not measured before."""
        self._turn: list[Manner] = []
        self._told: set[Behaviour] = set()
        self._in_turn = self._paused = False
        self._measuring: asyncio.Task[None] | None = None

    async def follow(self, sound: AsyncIterator[Samples]) -> AsyncIterator[Samples]:
        """Hand on every piece of `sound` as it comes."""
        async for samples in sound:
            yield samples
            self._take(samples)

    def _take(self, samples: Samples) -> None:
        speaks = self._floor.person_speaks
        if self._in_turn and not speaks:
            self._turn_over()
        self._in_turn = speaks
        if self._floor.replica is Doing.SPEAKING and not speaks:
            self._forget(0.0)  # what is heard now may be the replica's own voice
            return
        self._sound.append(samples)
        self._samples += len(samples)
        self._fresh += len(samples)
        pauses = speaks and self._floor.silence_ms >= self._floor.settings.pause_ms
        if self._fresh >= PIECE_S * LISTEN_RATE_HZ or (pauses and not self._paused):
            self._measure(in_turn=speaks)
        self._paused = pauses

    def _measure(self, *, in_turn: bool) -> None:
        if self._measuring and not self._measuring.done():
            return  # a busy machine: this piece grows until there is time
        piece = np.concatenate(self._sound)
        self._forget(KEPT_S)
        loudest = max((float(np.sqrt(np.mean(part**2))) for part in np.array_split(piece, 75)), default=0.0)
        if loudest >= LOUD:
            self._measuring = self._tasks.create_task(self._judge(piece, in_turn=in_turn))

    async def _judge(self, piece: Samples, *, in_turn: bool) -> None:
        try:
            heard = await asyncio.to_thread(manner, piece)
        except Exception:  # what goes wrong here must not end a call
            _log.exception("the voice cannot be measured")
            return
        if in_turn and self._in_turn:
            self._turn.append(heard)
            heard = joined(self._turn)
        news = [one for one in self._usual.unlike(heard, self._clock.now()) if one.behaviour not in self._told]
        if not in_turn:  # of what is no speech, only what is no speech
            news = [one for one in news if one.behaviour in (Behaviour.LAUGHED, Behaviour.SIGHED)]
        if news:
            self._told |= {one.behaviour for one in news}
            self._notice(news)

    def _turn_over(self) -> None:
        if self._turn:
            self._usual.learn(joined(self._turn))
        self._turn, self._told, self._paused = [], set(), False

    def _forget(self, keep_s: float) -> None:
        """All but the last of it."""
        self._fresh = 0
        while self._sound and self._samples - len(self._sound[0]) >= keep_s * LISTEN_RATE_HZ:
            self._samples -= len(self._sound.pop(0))
