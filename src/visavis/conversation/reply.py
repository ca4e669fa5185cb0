"""One reply, from text to sound with a mouth: everything streams, everything can be dropped at any point.

A reply prepares itself as soon as it is started and runs at most `AHEAD_S` ahead of what has been played. Nobody
hears it until a playout takes its segments, so a speculative reply is simply one that nobody plays.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import numpy as np

from visavis.conversation.clauses import ClauseSplitter
from visavis.conversation.clock import Clock
from visavis.conversation.latency import Waterfall
from visavis.conversation.openers import without_opener
from visavis.conversation.playout import SEGMENT, Segment
from visavis.errors import EngineError
from visavis.layers.tts import Speech, TextToSpeech, Word
from visavis.layers.tts.emotion import Carried
from visavis.replica import FRAME_S, Renderer

_log = logging.getLogger(__name__)

AHEAD_S = 6.0
"""How far the voice runs ahead of what has been played: enough to bridge a slow sentence, little enough to drop."""

APOLOGY = "I'm sorry, I lost my train of thought for a moment. Could you say that again?"
"""Spoken when the language model fails."""


class Reply:
    """A reply in the making. Owner of its text, its segments and the times of its words. A `Source` for the playout."""

    def __init__(
        self,
        text: AsyncIterator[str],
        voice: TextToSpeech,
        renderer: Renderer[object],
        clock: Clock,
        waterfall: Waterfall,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """`text` arrives piece by piece and is closed when the reply is dropped; the work runs in `tasks`."""
        self.waterfall = waterfall
        self.words: list[Word] = []
        """Words spoken so far, times in seconds from the start of the reply."""
        self.failure: str | None = None
        """What broke it, in words for the person."""
        self.exhausted = False
        self.took_s: float | None = None
        """Seconds until the first sound of its own words existed."""
        self._text = text
        self._voice = voice
        self._renderer = renderer
        self._clock = clock
        self._opener = ""
        self._opener_words = self._opener_segments = 0
        self._began_at = clock.now()
        self._begun = asyncio.Event()
        self._segments: list[Segment] = []
        self._taken = 0
        self._room = asyncio.Event()
        self._room.set()
        self._task = tasks.create_task(self._run())

    def take(self) -> Segment | None:
        """The next 40 ms, or None when they are not ready."""
        if self._taken >= len(self._segments):
            return None
        self._taken += 1
        self._room.set()
        if self._taken > self._opener_segments:
            self.waterfall.mark("own_words", self._clock.now())
            self._begun.set()
        return self._segments[self._taken - 1]

    @property
    def ready(self) -> bool:
        """Some of its sound exists."""
        return bool(self._segments)

    def open_with(self, opener: Speech) -> None:
        """Begin with these words while its own are not ready yet; not when they are."""
        if not self._segments:
            self._opener = " ".join(word.text for word in opener.words)
            self._append(opener)
            self._opener_words, self._opener_segments = len(self.words), len(self._segments)

    @property
    def age_s(self) -> float:
        """Seconds since it was begun."""
        return self._clock.now() - self._began_at

    async def begun(self) -> None:
        """Return when its own words have begun to be played, or when they never will."""
        await self._begun.wait()

    @property
    def spoken_s(self) -> float:
        """Seconds of sound made so far."""
        return len(self._segments) * FRAME_S

    def heard_text(self, heard_s: float, from_s: float = 0.0, *, opener: bool = True) -> str:
        """The words that begin after `from_s` and of which at least half lies before `heard_s`.

        Without `opener`, only those that are the language model's own.
        """
        words = self.words if opener else self.words[self._opener_words :]
        return " ".join(word.text for word in words if word.start_s >= from_s and _middle(word) <= heard_s)

    def rewind(self, heard_s: float) -> float:
        """Go back to the start of the first word not heard by `heard_s`; returns the seconds that count as heard."""
        cut = next((word for word in self.words if _middle(word) > heard_s), None)
        self._taken = min(int((cut.start_s if cut else heard_s) / FRAME_S), len(self._segments))
        return self._taken * FRAME_S

    def drop(self) -> None:
        """Stop making it."""
        self._task.cancel()
        self._begun.set()

    async def _run(self) -> None:
        clauses: asyncio.Queue[str | None] = asyncio.Queue(maxsize=4)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._split(clauses))
                tasks.create_task(self._speak(clauses))
        except* EngineError as failed:
            # The voice itself failed: there is nothing left to apologise with.
            self.failure = str(failed.exceptions[0])
            _log.error("%s", self.failure)
        except* Exception:
            self.failure = "Something went wrong inside visavis. Please try again."
            _log.exception("a reply broke off")
        finally:
            self.exhausted = True
            if len(self._segments) == self._opener_segments:
                self._begun.set()

    async def _split(self, clauses: asyncio.Queue[str | None]) -> None:
        splitter = ClauseSplitter()
        try:
            async for piece in self._text:
                self.waterfall.mark("first_token", self._clock.now())
                for clause in splitter.feed(piece):
                    await clauses.put(clause)
        except EngineError as error:
            _log.error("%s", error)
            self.failure = str(error)
            await clauses.put(APOLOGY)
        else:
            for clause in splitter.flush():
                await clauses.put(clause)
        finally:
            if aclose := getattr(self._text, "aclose", None):
                await aclose()
        await clauses.put(None)

    async def _speak(self, clauses: asyncio.Queue[str | None]) -> None:
        first, feeling = True, Carried()
        while (clause := await clauses.get()) is not None:
            self.waterfall.mark("first_clause", self._clock.now())
            if first and self._opener:
                clause = without_opener(clause, self._opener)
            first = False
            if not clause:
                continue
            async for speech in self._voice.stream(feeling.on(clause)):
                if self.took_s is None:
                    self.took_s = self.age_s
                self.waterfall.mark("first_sound", self._clock.now())
                self._append(speech)
                while len(self._segments) - self._taken > AHEAD_S / FRAME_S:
                    self._room.clear()
                    await self._room.wait()

    def _append(self, speech: Speech) -> None:
        start_s = self.spoken_s
        self.words.extend(Word(word.text, start_s + word.start_s, start_s + word.end_s) for word in speech.words)
        motions = self._renderer.plan(speech)
        pcm = np.zeros(len(motions) * SEGMENT, np.int16)
        pcm[: len(speech.pcm)] = speech.pcm
        self._segments.extend(
            Segment(pcm[index * SEGMENT : (index + 1) * SEGMENT], motion) for index, motion in enumerate(motions)
        )


def _middle(word: Word) -> float:
    return (word.start_s + word.end_s) / 2
