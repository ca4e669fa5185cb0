"""The person's side of the conversation: from sound to turns with words.

Owner of the turn that the person is in. Counts time in received samples; only the marks of the latency waterfall
are taken from the clock.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.conversation.clock import Clock
from visavis.conversation.floor import (
    Floor,
    OverlapStarted,
    Signal,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
)
from visavis.conversation.latency import Waterfall
from visavis.conversation.overlap import Overlap, classify
from visavis.conversation.own_voice import OwnVoice
from visavis.errors import EngineError
from visavis.layers.stt import SpeechToText, Utterance
from visavis.layers.turn import VAD_FRAME, EndOfTurn, UnreadPause, VoiceActivity, WordsJudge

PREROLL_S = 0.4
"""Sound kept from before the voice was noticed, so that first consonants are not lost."""

PARTIAL_EVERY_S = 0.5
"""How much new sound makes a new partial transcript worth its cost (17 % of a core at 0.5 s)."""

_OVERLAP_PARTIAL_EVERY_S = 0.2
"""The same while the replica waits to know whether it is being interrupted."""

_SHORT_OVERLAP_MS = 700
"""Up to here the partial text may save a backchannel (`benchmarks/turns_overlaps`: of 162 synthetic ones .22 instead of
.30 stop the replica, and .01 of the interruptions are missed instead of none)."""

_WORDLESS_S = 5.0
"""Voice without a new word for so long is music, a machine or another room: the turn ends."""

_EVIDENCE_S = 8.0  # what an end-of-turn network looks at


@dataclass(slots=True)
class PersonTurn:
    """What the person is saying."""

    utterance: Utterance
    overlap: bool
    """Began while the replica spoke."""
    waterfall: Waterfall = field(default_factory=Waterfall)
    text: str = ""
    """The latest final transcript."""
    recognised: bool = False
    """It is that of the present pause."""


@dataclass(frozen=True, slots=True)
class OverlapBegan:
    """Somebody speaks into the replica's speech; why is not known yet."""


@dataclass(frozen=True, slots=True)
class OverlapPassed:
    """It was no interruption: `text` is a backchannel such as "mhm", or empty for a cough."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The person began to speak."""

    turn: PersonTurn


@dataclass(frozen=True, slots=True)
class PartialText:
    """The words so far; they may still change."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnPaused:
    """The person fell silent; every millisecond from here on may be one that they wait for an answer."""


@dataclass(frozen=True, slots=True)
class PauseText:
    """The words up to a pause that may turn out to be the end of the turn."""

    turn: PersonTurn
    text: str


@dataclass(frozen=True, slots=True)
class PauseJudged:
    """It is known how likely the pause is the end of the turn; nothing more is computed about it."""

    turn: PersonTurn


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The pause was not the end."""


@dataclass(frozen=True, slots=True)
class TurnDone:
    """The turn is over; `turn.text` is what was said, empty if it was no speech."""

    turn: PersonTurn


@dataclass(frozen=True, slots=True)
class EarFailed:
    """The recogniser failed; the turn is lost."""

    error: EngineError


Heard = (
    OverlapBegan
    | OverlapPassed
    | TurnStarted
    | PartialText
    | TurnPaused
    | PauseText
    | PauseJudged
    | TurnResumed
    | TurnDone
    | EarFailed
)


class Ear:
    """Listens to one person."""

    def __init__(
        self,
        voice_activity: VoiceActivity,
        recogniser: SpeechToText,
        end_of_turn: EndOfTurn,
        floor: Floor,
        clock: Clock,
        own_voice: OwnVoice | None = None,
        asked: Callable[[], str] = lambda: "",
        words_judge: WordsJudge | None = None,
    ) -> None:
        """`own_voice` knows what comes back from the person's loudspeaker; `asked` tells the replica's last words;
        `words_judge` is whom `end_of_turn` may ask about the person's."""
        self._voice_activity = voice_activity
        self._recogniser = recogniser
        self._end_of_turn = end_of_turn
        self._floor = floor
        self._clock = clock
        self._own_voice = own_voice
        self._asked = asked
        self._words_judge = words_judge
        self._events: asyncio.Queue[Heard | None] = asyncio.Queue()  # a handful a second, drained at once
        self._recent: deque[Samples] = deque(maxlen=round(_EVIDENCE_S * LISTEN_RATE_HZ / VAD_FRAME))
        self._turn: PersonTurn | None = None
        self._overlap = False
        self._turn_frames = 0
        self._partial = ""
        self._partial_frames = 0
        self._partials: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._conclusion: asyncio.Task[None] | None = None

    async def listen(self, sound: AsyncIterator[Samples]) -> AsyncIterator[Heard]:
        """Yield what is heard until `sound` ends."""
        attention = asyncio.create_task(self._attend(sound))
        try:
            while (heard := await self._events.get()) is not None:
                yield heard
            await attention
        finally:
            for task in (attention, self._partials, self._reading, self._conclusion):
                if task:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    async def _attend(self, sound: AsyncIterator[Samples]) -> None:
        pending = np.zeros(0, np.float32)
        try:
            async for samples in sound:
                pending = np.concatenate([pending, samples])
                while len(pending) >= VAD_FRAME:
                    frame, pending = pending[:VAD_FRAME], pending[VAD_FRAME:]
                    self._hear(frame)
        finally:
            self._tell(None)

    def _hear(self, frame: Samples) -> None:
        self._recent.append(frame)
        self._turn_frames += 1
        signal = self._floor.hear(self._voice(frame))
        if self._turn:
            self._turn.utterance.feed(frame)
        match signal:
            case SpeechStarted() | OverlapStarted():
                self._start(overlap=isinstance(signal, OverlapStarted))
            case SpeechPaused():
                self._pause(signal)
            case SpeechResumed():
                self._resume()
            case TurnEnded():
                self._end()
        if self._overlap and self._conclusion is None:
            self._classify_overlap(self._partial, ended=False)
        if self._turn and (self._turn_frames - self._partial_frames) * VAD_FRAME > _WORDLESS_S * LISTEN_RATE_HZ:
            self._give_up()

    def _voice(self, frame: Samples) -> float:
        """Probability that the person speaks in `frame`."""
        probability = self._voice_activity.probability(frame)
        # Asked even when there is no voice, because it learns the echo's way from every frame.
        echo = self._own_voice.explains(frame) if self._own_voice else 0.0
        return probability * (1 - echo)

    def _start(self, *, overlap: bool) -> None:
        if self._turn:
            # The turn was over for the floor, but its text is still being made: the person goes on.
            self._resume()
            return
        turn = self._turn = PersonTurn(self._recogniser.utterance(), overlap)
        preroll = list(self._recent)[-round(PREROLL_S * LISTEN_RATE_HZ / VAD_FRAME) :]
        turn.utterance.feed(np.concatenate(preroll))
        self._turn_frames = len(preroll)
        self._partial, self._partial_frames = "", 0
        self._overlap = overlap
        self._tell(OverlapBegan() if overlap else TurnStarted(turn))
        self._partials = asyncio.create_task(self._follow(turn))

    async def _follow(self, turn: PersonTurn) -> None:
        """Publish partial transcripts while the person speaks."""
        frames = 0
        while True:
            every_s = _OVERLAP_PARTIAL_EVERY_S if self._overlap else PARTIAL_EVERY_S
            await self._clock.sleep_until(self._clock.now() + every_s / 4)
            if self._conclusion or (self._turn_frames - frames) * VAD_FRAME < every_s * LISTEN_RATE_HZ:
                continue
            frames = self._turn_frames
            try:
                text = await turn.utterance.partial()
            except EngineError:
                continue  # the final transcript decides; a partial is only for show
            if text and text != self._partial and self._conclusion is None:
                self._partial, self._partial_frames = text, frames
                self._read_along(text)
                if not self._overlap:
                    self._tell(PartialText(text))

    def _read_along(self, text: str) -> None:
        """Have the words judge read what was said so far, unless it is still at earlier words."""
        if self._words_judge and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._words_judge.read(self._asked(), text))

    def _pause(self, signal: Signal) -> None:
        if turn := self._turn:
            now = self._clock.now()
            turn.waterfall, turn.recognised = Waterfall(), False
            turn.waterfall.mark("last_voice", now - signal.silence_ms / 1000)
            turn.waterfall.mark("vad_end", now)
            if not self._overlap:
                self._tell(TurnPaused())
            self._conclusion = asyncio.create_task(self._conclude(turn))

    async def _conclude(self, turn: PersonTurn) -> None:
        """Collect what decides whether this pause is the end: the words, and how they sounded."""
        sound, silence_s = np.concatenate(list(self._recent)[-self._turn_frames :]), self._floor.silence_ms / 1000
        words = self._recognise(turn)
        try:
            if self._overlap:
                self._classify_overlap(await words, ended=True)
                if self._turn is not turn:
                    return
                self._tell(PauseText(turn, turn.text))
                words = _known(turn.text)
            asked = self._asked()
            ending = partial(self._words_judge.ending, asked) if self._words_judge else None
            pause = UnreadPause(sound, silence_s, words, asked, ending)
            judging = self._end_of_turn.probabilities(pause)
            async with contextlib.aclosing(judging):
                async for complete in judging:
                    self._floor.judge(complete)
        except EngineError as error:
            self._drop_turn()
            self._tell(EarFailed(error))
            return
        self._tell(PauseJudged(turn))
        if not self._floor.person_speaks:
            self._finish(turn)

    async def _recognise(self, turn: PersonTurn) -> str:
        turn.text = await turn.utterance.final()
        turn.recognised = True
        turn.waterfall.mark("final_text", self._clock.now())
        if not self._overlap:
            self._tell(PauseText(turn, turn.text))
        return turn.text

    def _classify_overlap(self, text: str, *, ended: bool) -> None:
        verdict = classify(text, self._floor.voiced_ms, ended)
        if ended and self._floor.voiced_ms < _SHORT_OVERLAP_MS and verdict is Overlap.INTERRUPTION and self._partial:
            # Of something so short the final text is no better than the partial one, and often worse.
            verdict = classify(self._partial, self._floor.voiced_ms, ended)
        if verdict is not Overlap.INTERRUPTION and not ended:
            return  # even "yeah" may go on with "but"
        self._overlap = False
        if verdict is Overlap.BACKCHANNEL:
            self._floor.dismiss()
            self._drop_turn()
            self._tell(OverlapPassed(text))
        elif self._turn:
            self._floor.grant()
            self._tell(TurnStarted(self._turn))
            if text:
                self._tell(PartialText(text))

    def _resume(self) -> None:
        if self._conclusion:
            self._conclusion.cancel()
            self._conclusion = None
        if not self._overlap:
            self._tell(TurnResumed())

    def _end(self) -> None:
        if turn := self._turn:
            turn.waterfall.mark("turn_decision", self._clock.now())
            if turn.recognised:
                self._finish(turn)

    def _give_up(self) -> None:
        """What goes on and on is not somebody who talks to us."""
        turn = self._turn
        assert turn
        if self._overlap:
            self._overlap = False
            self._tell(TurnStarted(turn))
        turn.text = self._partial
        self._floor.dismiss()
        self._finish(turn)

    def _finish(self, turn: PersonTurn) -> None:
        self._drop_turn()
        self._tell(TurnDone(turn))

    def _drop_turn(self) -> None:
        self._turn = None
        self._overlap = False
        if self._conclusion is not asyncio.current_task() and self._conclusion:
            self._conclusion.cancel()
        self._conclusion = None
        if self._partials:
            self._partials.cancel()
            self._partials = None

    def _tell(self, heard: Heard | None) -> None:
        self._events.put_nowait(heard)


async def _known(text: str) -> str:
    return text
