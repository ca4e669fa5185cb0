"""When the person speaks, without a word of what they say: the ear of a replica that echoes, or whose model hears."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.conversation import events
from visavis.conversation.events import EventStream
from visavis.conversation.floor import Floor, OverlapStarted, SpeechStarted, TurnEnded
from visavis.conversation.own_voice import OwnVoice
from visavis.conversation.playout import Playout
from visavis.layers.turn import VAD_FRAME, VoiceActivity
from visavis.replica import Attitude


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The person began to speak."""


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """The person fell silent after speaking for `duration_s`."""

    duration_s: float


class PersonVoice:
    """Listens to one person. Counts time in received samples."""

    def __init__(self, voice_activity: VoiceActivity, floor: Floor, own_voice: OwnVoice) -> None:
        """`floor` says how much voice counts, and how much silence ends it."""
        self._voice_activity = voice_activity
        self._floor = floor
        self._own_voice = own_voice
        self.echo = 0.0
        """How much of the last 32 ms was the replica's own voice, 0 to 1."""

    async def listen(self, sound: AsyncIterator[Samples]) -> AsyncIterator[VoiceStarted | VoiceStopped]:
        """Yield the changes until `sound` ends."""
        pending = np.zeros(0, np.float32)
        frames = 0
        async for samples in sound:
            pending = np.concatenate([pending, samples])
            while len(pending) >= VAD_FRAME:
                frame, pending = pending[:VAD_FRAME], pending[VAD_FRAME:]
                frames += 1
                signal = self._floor.hear(self._voice(frame))
                if isinstance(signal, SpeechStarted | OverlapStarted):
                    # Whether it is an interruption is for the client to judge.
                    self._floor.grant()
                    frames = round(self._floor.voiced_ms / 1000 * LISTEN_RATE_HZ / VAD_FRAME)
                    yield VoiceStarted()
                elif isinstance(signal, TurnEnded):
                    yield VoiceStopped(round(frames * VAD_FRAME / LISTEN_RATE_HZ - signal.silence_ms / 1000, 3))

    def _voice(self, frame: Samples) -> float:
        probability = self._voice_activity.probability(frame)
        # Asked even when there is no voice, because it learns the echo's way from every frame.
        self.echo = self._own_voice.explains(frame)
        return probability * (1 - self.echo)


async def report_voice(
    changes: AsyncIterator[VoiceStarted | VoiceStopped], stream: EventStream, playout: Playout
) -> None:
    """Tell the world when the person speaks, and let the face listen to them."""
    async for change in changes:
        if isinstance(change, VoiceStarted):
            playout.attitude = Attitude.LISTENING
            stream.emit(events.UserStartedSpeaking())
            stream.emit(events.StartedSpeaking(role="user"))
        else:
            playout.attitude = Attitude.IDLE
            stream.emit(events.UserStoppedSpeaking())
            stream.emit(events.StoppedSpeaking(role="user", duration=change.duration_s))
