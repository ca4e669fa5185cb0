"""Complete spoken sentences for tests and benchmarks: one woman, from Debian's asterisk-core-sounds-en-g722.

The recordings are CC-BY-SA-3.0 and no part of the repository.

The package is installed by `make test`; a test that asks for a recording that is absent is skipped.
"""

from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from visavis.audio import Samples

FOLDER = Path("/usr/share/asterisk/sounds/en_US_f_Allison")

SENTENCES = {
    "all-circuits-busy-now": "All circuits are busy now.",
    "cannot-complete-as-dialed": "Your call cannot be completed as dialed.",
    "check-number-dial-again": "Please check the number and dial again.",
    "conf-full": "That conference is full.",
    "conf-getpin": "Please enter the conference pin number.",
    "conf-kicked": "You have been kicked from this conference.",
    "conf-leaderhasleft": "The leader has left the conference.",
    "conf-now-muted": "The conference is now muted.",
    "conf-onlyperson": "You are currently the only person in this conference.",
    "conf-placeintoconf": "You will now be placed into the conference.",
    "conf-waitforleader": "The conference will begin when the leader arrives.",
    "demo-nomatch": "I'm sorry, there are no matches for those keywords.",
    "feature-not-avail-line": "That feature is not available on this line.",
    "number-not-answering": "The number is not answering.",
    "please-try-call-later": "Please try your call again later.",
    "pls-hold-while-try": "Please hold while we try to connect you.",
    "priv-recordintro": "At the tone, please say your name.",
    "privacy-incorrect": "I'm sorry, that number is not valid.",
    "queue-thankyou": "Thank you for your patience.",
    "something-terribly-wrong": "Something is terribly wrong.",
    "transfer": "Please hold while I try that extension.",
    "tt-monkeysintro": "They have been carried away by monkeys.",
    "tt-weasels": "Weasels have eaten our phone system.",
    "vm-dialout": "Please wait while I connect your call.",
    "vm-msgforwarded": "Your message has been successfully forwarded.",
    "vm-msgsaved": "Your message has been saved.",
    "vm-nobodyavail": "Nobody is available to take your call at the moment.",
}
"""What each recording says."""

_FLOOR = 0.02  # of the loudest 10 ms: below is silence


@cache
def sentence(name: str, rate_hz: int = 48_000) -> Samples:
    """A recording as float32 mono that begins and ends with its voice, at a speaking level (-20 dBFS)."""
    path = FOLDER / f"{name}.g722"
    if not path.is_file():
        pytest.skip(f"recorded speech is absent: {path}; apt-get install asterisk-core-sounds-en-g722")
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    with av.open(str(path), format="g722") as container:
        frames = [resampled for frame in container.decode(audio=0) for resampled in resampler.resample(frame)]
    frames += resampler.resample(None)
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)
    start, stop = voiced_span(samples, rate_hz)
    voiced = samples[start:stop]
    return np.asarray(voiced * (0.1 / np.sqrt(np.mean(voiced**2))), np.float32)


def voiced_span(samples: Samples, rate_hz: int, floor: float = _FLOOR) -> tuple[int, int]:
    """First and last sample of the sound in `samples`, by the energy of 10 ms pieces."""
    size = rate_hz // 100
    pieces = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.flatnonzero(np.sqrt((pieces**2).mean(axis=1)) > floor * np.sqrt((pieces**2).mean(axis=1)).max())
    return int(loud[0] * size), int((loud[-1] + 1) * size)
