"""Who holds the floor, decided from voice activity and evidence about the end of the turn.

A state machine on the time of the sound itself: it counts 32 ms frames and never looks at a clock. Whatever state it
is in, silence brings it back to listening: a turn ends after at most `Patience.silence_needed_ms`.
"""

from dataclasses import dataclass
from enum import Enum

from visavis.audio import LISTEN_RATE_HZ
from visavis.conversation.patience import Patience
from visavis.layers.turn import VAD_FRAME

FRAME_MS = 1000 * VAD_FRAME / LISTEN_RATE_HZ

MOUTH_AFTER_MS = 250
"""From this silence on, lips that move are about to go on: before, they are still closing from the last word."""
MOUTH_COUNTS_MS = 200
"""How long one look at them counts; the next comes within 125 ms while the machine is not busy."""
MOUTH_HOLDS_MS = 1600
"""Lips that move without a sound for longer than this eat or pray; they do not hold the floor."""


@dataclass(frozen=True, slots=True)
class Onset:
    """What it takes to come in."""

    voiced_ms: float
    """Voice in a row."""
    probability: float = 0.5
    """Voice activity from which a frame counts as voice while there was silence."""


@dataclass(frozen=True, slots=True)
class FloorSettings:
    """How voice takes the floor, in each state of the replica, and when silence is a pause."""

    listening: Onset = Onset(64)
    thinking: Onset = Onset(64)
    """While a reply is on its way: who goes on now has not finished, so the replica yields at once."""
    speaking: Onset = Onset(96)
    """While the replica speaks; whether it is an interruption is judged afterwards."""
    stop_probability: float = 0.35
    """Voice activity under which a frame counts as silence while there was speech (Silero's own hysteresis)."""
    pause_ms: float = 64
    """Silence after which the turn may be over: evidence is collected from here on."""


class Doing(Enum):
    """What the replica does."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class Signal:
    """A change on the floor; `silence_ms` is how long the person's last voice lies back."""

    silence_ms: float = 0.0


class SpeechStarted(Signal):
    """The person began a turn."""


class OverlapStarted(Signal):
    """The person began to speak while the replica does; `grant` or `dismiss` says what becomes of it."""


class SpeechPaused(Signal):
    """The person fell silent; perhaps the turn is over."""


class SpeechResumed(Signal):
    """The person went on."""


class TurnEnded(Signal):
    """The person has finished; the floor is the replica's."""


class Floor:
    """Feed it voice activity, tell it what the replica does and what the evidence says; it says who holds the floor."""

    def __init__(self, settings: FloorSettings | None = None, patience: Patience | None = None) -> None:
        self.settings = settings or FloorSettings()
        self.patience = patience or Patience()
        self.replica = Doing.LISTENING
        """Set by the conversation."""
        self.interruptible = True
        """Whether voice is noticed at all while the replica speaks. Set by the conversation."""
        self._in_turn = False
        self._overlap = False
        self._paused = False
        self._voiced_ms = 0.0
        self._silent_ms = 0.0
        self._completeness: float | None = None
        self._mouth_ms = 0.0
        self.voiced_ms = 0.0
        """Voice in the present turn or overlap."""

    @property
    def person_speaks(self) -> bool:
        """The person is in a turn or an overlap, pauses included."""
        return self._in_turn

    @property
    def silence_ms(self) -> float:
        """How long the person has been silent."""
        return self._silent_ms

    def judge(self, completeness: float) -> None:
        """Evidence for the present pause: 0 sounds unfinished, 1 complete."""
        if self._paused:
            self._completeness = completeness

    def see_mouth(self, moves: bool) -> None:
        """Whether the person's lips moved at the last look: a pause in which they do is not the end."""
        self._mouth_ms = MOUTH_COUNTS_MS if moves and self._silent_ms >= MOUTH_AFTER_MS else 0.0

    def grant(self) -> None:
        """The overlap is an interruption: from now on it is the person's turn."""
        self._overlap = False

    def dismiss(self) -> None:
        """The overlap was no interruption: the floor stays the replica's."""
        self._in_turn = self._overlap = self._paused = False
        self._voiced_ms = 0.0

    def hear(self, probability: float) -> Signal | None:
        """Take the voice activity of the next 32 ms."""
        self._mouth_ms = max(self._mouth_ms - FRAME_MS, 0.0)
        speaking_now = self._in_turn and not self._paused
        threshold = self.settings.stop_probability if speaking_now else self._onset().probability
        if probability >= threshold:
            self._voiced_ms += FRAME_MS
            self.voiced_ms += FRAME_MS
            if self._paused and self._voiced_ms >= self.settings.listening.voiced_ms:
                return self._resume()
            if not self._paused:
                self._silent_ms = 0.0
        else:
            self._silent_ms += FRAME_MS
            if not speaking_now:
                self._voiced_ms = 0.0
        return self._in_turn_signal() if self._in_turn else self._start_signal()

    def _onset(self) -> Onset:
        if self.replica is Doing.SPEAKING and not self._in_turn:
            return self.settings.speaking
        return self.settings.thinking if self.replica is Doing.THINKING else self.settings.listening

    def _start_signal(self) -> Signal | None:
        speaking = self.replica is Doing.SPEAKING
        if self._voiced_ms < self._onset().voiced_ms or (speaking and not self.interruptible):
            return None
        self._in_turn, self._paused, self._overlap = True, False, speaking
        self.voiced_ms = self._voiced_ms
        return OverlapStarted() if speaking else SpeechStarted()

    def _in_turn_signal(self) -> Signal | None:
        if not self._paused:
            if self._silent_ms < self.settings.pause_ms:
                return None
            self._paused, self._voiced_ms, self._completeness = True, 0.0, None
            return SpeechPaused(self._silent_ms)
        if self._mouth_ms and self._silent_ms < MOUTH_HOLDS_MS:
            return None
        if not self._overlap and self._silent_ms >= self.patience.silence_needed_ms(self._completeness):
            self._in_turn = self._paused = False
            self._voiced_ms = 0.0
            return TurnEnded(self._silent_ms)
        return None

    def _resume(self) -> Signal:
        pause_ms, self._silent_ms = self._silent_ms, 0.0
        self._paused = False
        self.patience.person_went_on(pause_ms)
        return SpeechResumed()
