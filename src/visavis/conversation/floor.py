"""Who holds the floor, decided from voice activity and evidence about the end of the turn.

A state machine on the time of the sound itself: it counts 32 ms frames and never looks at a clock.
"""

from dataclasses import dataclass

from visavis.audio import LISTEN_RATE_HZ
from visavis.layers.turn import VAD_FRAME

FRAME_MS = 1000 * VAD_FRAME / LISTEN_RATE_HZ


@dataclass(frozen=True, slots=True)
class FloorSettings:
    """When silence is a pause, when a pause is the end, and how much speech takes the floor."""

    start_probability: float = 0.5
    """Voice activity from which a frame counts as speech while there was silence."""
    stop_probability: float = 0.35
    """Voice activity under which a frame counts as silence while there was speech (Silero's own hysteresis)."""
    start_ms: float = 64
    """Speech needed to take an empty floor."""
    barge_in_ms: float = 128
    """Speech needed to take the floor from the speaking replica."""
    pause_ms: float = 96
    """Silence after which the turn may be over: evidence is collected from here on."""
    end_complete_ms: float = 224
    """Silence that ends a turn which sounds complete."""
    end_unsure_ms: float = 640
    """Silence that ends a turn about which the evidence is divided, or not there yet."""
    end_incomplete_ms: float = 1400
    """Silence that ends a turn which sounds unfinished."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A change on the floor; `silence_ms` is how long the person's last voice lies back."""

    silence_ms: float


class SpeechStarted(Signal):
    """The person began a turn."""


class BargeIn(SpeechStarted):
    """The person began a turn while the replica was speaking."""


class SpeechPaused(Signal):
    """The person fell silent; perhaps the turn is over."""


class SpeechResumed(Signal):
    """The person went on."""


class TurnEnded(Signal):
    """The person has finished; the floor is the replica's."""


class Floor:
    """Feed it voice activity, tell it what the replica does and what the evidence says; it says who holds the floor."""

    def __init__(self, settings: FloorSettings | None = None) -> None:
        self._settings = settings or FloorSettings()
        self.replica_speaks = False
        """Set by the conversation while sound of the replica is playing."""
        self._in_turn = False
        self._paused = False
        self._voiced_ms = 0.0
        self._silent_ms = 0.0
        self._completeness: float | None = None

    @property
    def person_speaks(self) -> bool:
        """The person is in a turn, pauses included."""
        return self._in_turn

    def judge(self, completeness: float) -> None:
        """Evidence for the present pause: 0 sounds unfinished, 1 complete."""
        if self._paused:
            self._completeness = completeness

    def hear(self, probability: float) -> Signal | None:
        """Take the voice activity of the next 32 ms."""
        settings = self._settings
        voiced_now = self._in_turn and not self._paused
        voice = probability >= (settings.stop_probability if voiced_now else settings.start_probability)
        if voice:
            self._voiced_ms += FRAME_MS
            self._silent_ms = 0.0
        else:
            self._silent_ms += FRAME_MS
            if not voiced_now:
                self._voiced_ms = 0.0
        return self._in_turn_signal() if self._in_turn else self._start_signal()

    def _start_signal(self) -> Signal | None:
        needed = self._settings.barge_in_ms if self.replica_speaks else self._settings.start_ms
        if self._voiced_ms < needed:
            return None
        self._in_turn, self._paused = True, False
        return BargeIn(0.0) if self.replica_speaks else SpeechStarted(0.0)

    def _in_turn_signal(self) -> Signal | None:
        if not self._paused:
            if self._silent_ms < self._settings.pause_ms:
                return None
            self._paused, self._voiced_ms, self._completeness = True, 0.0, None
            return SpeechPaused(self._silent_ms)
        if self._voiced_ms >= self._settings.start_ms:
            self._paused = False
            return SpeechResumed(0.0)
        if self._silent_ms >= self._silence_needed_ms():
            self._in_turn, self._voiced_ms = False, 0.0
            return TurnEnded(self._silent_ms)
        return None

    def _silence_needed_ms(self) -> float:
        settings = self._settings
        if self._completeness is None:
            return settings.end_unsure_ms
        if self._completeness >= 0.5:
            return settings.end_complete_ms
        # Between "divided" and "unfinished" the wait grows evenly.
        share = self._completeness / 0.5
        return settings.end_incomplete_ms + share * (settings.end_unsure_ms - settings.end_incomplete_ms)
