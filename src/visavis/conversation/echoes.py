"""What clients want said exactly, one utterance after another."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from visavis.conversation.clock import Clock
from visavis.conversation.interactions import Utterance
from visavis.conversation.sound_reply import FORGOTTEN_AFTER_S, SoundReply
from visavis.conversation.turns import Turns
from visavis.errors import BadInputError
from visavis.replica import Renderer

MAX_WAITING_BYTES = 32 * 1024 * 1024
"""Of sound and text that waits to be said: 11 minutes at 24 kHz, 17 at 16 kHz."""

MAX_WAITING = 256
"""Utterances that wait to be said."""


class TextPieces:
    """Text that arrives piece by piece. Owner of the pieces nobody has read."""

    def __init__(self) -> None:
        self.waiting_bytes = 0
        self.closed = False
        """No piece will follow."""
        self._pieces: deque[str] = deque()
        self._changed = asyncio.Event()

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self._pieces.append(text)
        self.waiting_bytes += len(text.encode())
        self._changed.set()

    def close(self) -> None:
        """No piece will follow."""
        self.closed = True
        self._changed.set()

    def drop(self) -> None:
        """Nobody will hear the rest."""
        self._pieces.clear()
        self.waiting_bytes = 0
        self.close()

    async def read(self) -> AsyncIterator[str]:
        """The pieces, until it is closed, or forgotten."""
        while self._pieces or not self.closed:
            if self._pieces:
                piece = self._pieces.popleft()
                self.waiting_bytes -= len(piece.encode())
                yield piece
                continue
            self._changed.clear()
            try:
                async with asyncio.timeout(FORGOTTEN_AFTER_S):
                    await self._changed.wait()
            except TimeoutError:
                self.close()


@dataclass(eq=False, slots=True)
class _Echo:
    """One utterance. `name` is what its client calls it; None if it has no name."""

    name: str | None
    said: TextPieces | SoundReply
    inference_id: str
    complete: bool = False
    """Its client has sent all of it."""

    def complete_now(self) -> None:
        self.complete = True
        self.said.close()


class Echoes:
    """Takes pieces of utterances and has them said in order. Owner of what waits.

    An utterance is said as soon as its first piece is there and nothing else is being said. The first piece of the
    next one closes it, and follows it; only an interruption cuts it short. Of an utterance that was interrupted,
    further pieces are not taken.
    """

    def __init__(self, turns: Turns, renderer: Renderer[object], clock: Clock) -> None:
        self._turns = turns
        self._renderer = renderer
        self._clock = clock
        self._waiting: deque[_Echo] = deque()
        self._current: _Echo | None = None
        self._newest: _Echo | None = None
        self._cut_short: str | None = None
        self._told = False
        self._added = asyncio.Event()
        self._clearings = 0

    def add(self, piece: Utterance) -> None:
        """Take a piece of what is to be said. Raises `BadInputError` when too much waits, or it fits nowhere."""
        if piece.inference_id is not None and piece.inference_id == self._cut_short:
            self._leave_out(piece)
            return
        self._cut_short = None
        echo = self._newest
        if echo is None or echo.said.closed or echo.name != piece.inference_id or not self._fits(echo, piece):
            if not piece.text and not piece.audio:
                return  # the end of something that has ended
            echo = self._begin(piece)
        self._make_room_for(piece)
        if isinstance(echo.said, TextPieces):
            echo.said.feed(piece.text)
        else:
            echo.said.feed(np.frombuffer(piece.audio, "<i2").astype(np.int16, copy=False), piece.sample_rate)
        if piece.done:
            echo.complete_now()

    def clear(self) -> None:
        """Forget what waits and what is being said: its end comes from whoever stopped it."""
        self._clearings += 1
        if self._newest and not self._newest.complete:
            self._cut_short, self._told = self._newest.name, False
        for echo in (*self._waiting, *([self._current] if self._current else [])):
            echo.said.drop()
        self._waiting.clear()
        self._newest = None

    async def run(self) -> None:
        """Have it said, until cancelled."""
        while True:
            await self._added.wait()
            await self._turns.silence()
            if not self._waiting:
                self._added.clear()
                continue
            echo = self._current = self._waiting.popleft()
            said = echo.said.read() if isinstance(echo.said, TextPieces) else echo.said
            clearings = self._clearings
            interrupted = await self._turns.echo(said, echo.inference_id)
            if interrupted and clearings == self._clearings:
                self.clear()  # the person did it
            self._current = None

    def _leave_out(self, piece: Utterance) -> None:
        """What comes of an utterance that was interrupted; its client is told once."""
        told, self._told = self._told, True
        if piece.done:
            self._cut_short = None
        elif not told:
            raise BadInputError(
                "properties.inference_id", piece.inference_id, "a new one, because this utterance was interrupted"
            )

    def _begin(self, piece: Utterance) -> _Echo:
        if len(self._waiting) >= MAX_WAITING:
            raise BadInputError(
                "properties.inference_id", piece.inference_id, f"at most {MAX_WAITING} utterances at once"
            )
        self._make_room_for(piece)
        if self._newest:
            self._newest.complete_now()
        said = TextPieces() if piece.modality == "text" else SoundReply(self._renderer, self._clock)
        echo = self._newest = _Echo(piece.inference_id, said, piece.inference_id or str(uuid.uuid4()))
        self._waiting.append(echo)
        self._added.set()
        return echo

    def _fits(self, echo: _Echo, piece: Utterance) -> bool:
        """Whether `piece` goes on with what `echo` is made of; unnamed text does not go on with unnamed sound."""
        made_of = "text" if isinstance(echo.said, TextPieces) else "audio"
        if made_of != piece.modality and piece.inference_id is not None:
            raise BadInputError("properties.modality", piece.modality, f"{made_of!r}, as the utterance began")
        return made_of == piece.modality

    def _make_room_for(self, piece: Utterance) -> None:
        said = [echo.said for echo in self._waiting] + ([self._current.said] if self._current else [])
        waiting = sum(part.waiting_bytes for part in said)
        if waiting + len(piece.audio) + len(piece.text) > MAX_WAITING_BYTES:
            raise BadInputError(
                f"properties.{piece.modality}",
                f"{len(piece.audio) or len(piece.text)} bytes",
                f"to be sent when some of the {waiting} bytes have been said that wait already",
            )
