"""Signals that turn-taking is decided on: is somebody speaking, and do they sound finished?"""

from typing import Protocol

from visavis.audio import Samples

VAD_FRAME = 512
"""Samples of one voice-activity frame: 32 ms at 16 kHz."""


class VoiceActivity(Protocol):
    """Voice activity of one stream of sound. Keeps state: frames are fed in order."""

    def probability(self, frame: Samples) -> float:
        """Probability that `frame` (float32[512], 16 kHz) contains speech. Takes well under a millisecond."""
        ...

    def reset(self) -> None:
        """Forget everything heard so far."""
        ...


class EndOfTurn(Protocol):
    """Judges from the sound of speech whether the speaker has finished."""

    async def probability(self, speech: Samples) -> float:
        """Probability that the turn ending with `speech` (16 kHz, ends in some silence) is complete."""
        ...
