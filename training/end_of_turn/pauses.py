"""The pauses in recorded speech, as the ear meets them, and what came after each."""

import difflib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from training.end_of_turn.sources import Recording
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.turn import VAD_FRAME, Pause, VoiceActivity

NOTICED_S = 0.096
"""Silence at which the evidence is collected."""
SHORTEST_S = 0.3
"""Shorter pauses are over before there is a transcript to decide by, so nobody can cut into them."""
_LONGEST_TURN_S = 12.0
_TURN_BREAK_S = 1.2
_AHEAD_S = 4.0
_QUIET_BEFORE_S = 0.4
_START, _STOP = 0.5, 0.35
_INTERJECTION = re.compile(r"(^|[.?!,] )(okay|ok|right|yeah|yes|no|hello|hi|oh|thank you)[.?!]?$")
"""After these alone a speaker may stop or go on, so they are no pause within a sentence."""
_FRAME_S = VAD_FRAME / LISTEN_RATE_HZ

COMPLETE = "complete"
"""The speaker has finished."""
PAUSE = "pause"
"""A natural pause within a sentence: the speaker went on."""
LEFT_OPEN = "left open"
"""Recorded as a beginning, to be continued by another recording."""
BETWEEN = "between sentences"
"""A complete sentence after which the speaker went on: nobody can know. Not learnt from, and reported apart."""
HARD_CUT = "hard cut"
HESITATION = "synthetic"
SYNTHETIC_COMPLETE = "synthetic complete"

UNFINISHED = (PAUSE, LEFT_OPEN, HARD_CUT, HESITATION)

Transcriber = Callable[[Samples], str]


@dataclass(frozen=True, slots=True)
class Example:
    """A pause and what it was."""

    recording: str
    source: str
    speaker: str
    part: str
    kind: str
    pause: Pause
    turn_s: tuple[float, float]
    """Where the turn begins and where this silence does, in `with_silence(recording.sound)`."""
    lasts_s: float
    """Silence until the speaker went on; infinite after a complete turn."""

    @property
    def complete(self) -> bool:
        """Whether the turn ended here."""
        return self.kind in {COMPLETE, SYNTHETIC_COMPLETE}


@dataclass(frozen=True, slots=True)
class _Silence:
    begins_s: float
    ends_s: float


def examples(recording: Recording, activity: VoiceActivity, transcribe: Transcriber) -> Iterator[Example]:
    """Every pause of a recording that can be labelled."""
    sound = with_silence(recording.sound)
    silences = _silences(sound, activity)
    turn_starts_s = 0.0
    for number, silence in enumerate(silences):
        last = number == len(silences) - 1
        length_s = silence.ends_s - silence.begins_s
        begins_s = max(turn_starts_s, silence.begins_s - _LONGEST_TURN_S)
        if length_s >= SHORTEST_S or last:
            heard = sound[_samples(begins_s) : _samples(silence.begins_s + NOTICED_S)]
            text = transcribe(heard)
            if last:
                kind = _kind_at_end(recording)
            else:
                kind = _kind_within(recording, sound, begins_s, silence, text, transcribe)
            if kind:
                lasts_s = np.inf if last else length_s
                pause = Pause(heard, NOTICED_S, text, recording.asked)
                yield Example(
                    recording.name,
                    recording.source,
                    recording.speaker,
                    recording.part,
                    kind,
                    pause,
                    (begins_s, silence.begins_s),
                    lasts_s,
                )
                if kind in (BETWEEN, COMPLETE):
                    turn_starts_s = silence.ends_s - 0.2
        if length_s > _TURN_BREAK_S:
            turn_starts_s = silence.ends_s - 0.2


def with_silence(sound: Samples) -> Samples:
    """`sound` in a quiet room, so that the voice activity finds its beginning and its end."""
    rng = np.random.default_rng(len(sound))
    before, after = (rng.normal(0, 2e-4, round(s * LISTEN_RATE_HZ)).astype(np.float32) for s in (_QUIET_BEFORE_S, 2.0))
    return np.concatenate([before, sound, after])


def _kind_at_end(recording: Recording) -> str | None:
    if recording.ends is None:
        return None
    if recording.hard_cut:
        return HARD_CUT
    return COMPLETE if recording.ends else LEFT_OPEN


def _kind_within(
    recording: Recording, sound: Samples, begins_s: float, silence: _Silence, text: str, transcribe: Transcriber
) -> str | None:
    if recording.spans:
        before = _speaker(recording, silence.begins_s - 0.4)
        after = _speaker(recording, silence.ends_s + 0.15)
        if not before or not after:
            return None
        if before != after:
            return COMPLETE if _gives_way(recording, before, silence) else None
    if not re.findall(r"\w", text):
        return None
    if _INTERJECTION.search(text.lower()):
        return BETWEEN
    begins_s = max(begins_s, silence.begins_s - 6.0)
    context = sound[_samples(begins_s) : _samples(silence.ends_s + _AHEAD_S)]
    before_it = sound[_samples(begins_s) : _samples(silence.begins_s + NOTICED_S)]
    return _kind_by_words(transcribe(before_it), transcribe(context))


def _gives_way(recording: Recording, speaker: str, silence: _Silence) -> bool:
    """Whether `speaker` is done by the meeting's own times, rather than spoken to in between."""
    ended_s, next_s = silence.begins_s - _QUIET_BEFORE_S, silence.ends_s - _QUIET_BEFORE_S
    own = [(start, end) for name, start, end in recording.spans if name == speaker]
    return any(abs(end - ended_s) < 0.4 for _, end in own) and not any(s < next_s + 1.5 and e > next_s for s, e in own)


def _kind_by_words(text: str, continued: str) -> str | None:
    """Whether a sentence ended where `text` did, as seen by a recogniser that has heard how it went on.

    A full stop that the recogniser puts at the end of a text proves nothing, but within a text it is seldom wrong.
    """
    matches = list(re.finditer(r"[\w']+", continued))
    said = [word.lower() for word in re.findall(r"[\w']+", text)]
    heard = [match.group().lower() for match in matches]
    blocks = difflib.SequenceMatcher(a=said, b=heard, autojunk=False).get_matching_blocks()
    ends = [block.b + block.size + len(said) - block.a - block.size for block in blocks if block.size]
    if not ends or not 0 < ends[-1] < len(matches) or len(said) - _matched(blocks) > 1 + len(said) // 4:
        return None
    between = continued[matches[ends[-1] - 1].end() : matches[ends[-1]].start()]
    return BETWEEN if re.search(r"[.?!]", between) else PAUSE


def _matched(blocks: list[difflib.Match]) -> int:
    return sum(block.size for block in blocks)


def _speaker(recording: Recording, at_s: float) -> str | None:
    """Who speaks alone at `at_s` seconds of the sound with its silence before it."""
    at_s -= _QUIET_BEFORE_S
    speakers = {name for name, start, end in recording.spans if start - 0.1 <= at_s <= end + 0.1}
    return speakers.pop() if len(speakers) == 1 else None


def _silences(sound: Samples, activity: VoiceActivity) -> list[_Silence]:
    """Silences after speech, the last one open; found with the hysteresis of the floor."""
    activity.reset()
    silences: list[_Silence] = []
    speaking, voiced, quiet = False, 0, 0
    begins_s = 0.0
    for start in range(0, len(sound) - VAD_FRAME + 1, VAD_FRAME):
        voice = activity.probability(sound[start : start + VAD_FRAME]) >= (_STOP if speaking else _START)
        now_s = start / LISTEN_RATE_HZ
        voiced = voiced + 1 if voice else 0
        quiet = 0 if voice else quiet + 1
        if not speaking and voiced == 2:
            if begins_s:
                silences.append(_Silence(begins_s, now_s - _FRAME_S))
            speaking = True
        elif speaking and quiet == 3:
            speaking, begins_s = False, now_s - 2 * _FRAME_S
    if begins_s and not speaking:
        silences.append(_Silence(begins_s, len(sound) / LISTEN_RATE_HZ))
    return silences


def _samples(seconds: float) -> int:
    return max(0, round(seconds * LISTEN_RATE_HZ))


def never() -> threading.Event:
    """The stop signal of a transcription that nobody stops."""
    return threading.Event()
