"""Recorded speech for tests: one talker of the GRID corpus (Cooke et al. 2006, CC BY 4.0), 3 s a clip.

The clips are not part of the repository. They are looked for in `../shared/data` beside it, or where
`VISAVIS_TEST_DATA` points; a test that asks for them where they are absent is skipped.
"""

import os
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from visavis.audio import LISTEN_RATE_HZ, Samples

ALIGN_UNITS_PER_S = 25_000
_SILENCES = {"sil", "sp"}


def _folder() -> Path:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("VISAVIS_TEST_DATA", beside)) / "grid_s1"


def _clip(name: str, suffix: str) -> Path:
    path = _folder() / f"{name}{suffix}"
    if not path.is_file():
        pytest.skip(f"recorded speech is absent: {path.name} is not in ../shared/data/grid_s1 or $VISAVIS_TEST_DATA")
    return path


def grid_names() -> list[str]:
    """Names of all clips in alphabetical order; empty where the recordings are absent, so it may parametrise tests."""
    return sorted(path.stem for path in _folder().glob("*.mpg"))


def grid_clip_path(name: str) -> Path:
    """The file of a clip: sound and pictures."""
    return _clip(name, ".mpg")


@cache
def grid_words(name: str) -> tuple[tuple[str, float, float], ...]:
    """The spoken words of a clip, each with its start and end in seconds."""
    rows = (line.split() for line in _clip(name, ".align").read_text().splitlines() if line.strip())
    return tuple(
        (word, int(start) / ALIGN_UNITS_PER_S, int(end) / ALIGN_UNITS_PER_S)
        for start, end, word in rows
        if word not in _SILENCES
    )


@cache
def grid_clip(name: str) -> tuple[Samples, str]:
    """A clip as read-only float32 16 kHz mono, and its words joined by spaces ("bin blue at f two now")."""
    samples = read_audio(_clip(name, ".mpg"))
    samples.flags.writeable = False
    return samples, " ".join(word for word, _, _ in grid_words(name))


def read_audio(path: Path) -> Samples:
    """Any sound or video file that ffmpeg reads, as float32 16 kHz mono."""
    resampler = av.AudioResampler(format="fltp", rate=LISTEN_RATE_HZ)
    with av.open(str(path)) as container:
        frames = [resampled for frame in container.decode(audio=0) for resampled in resampler.resample(frame)]
    frames += resampler.resample(None)
    channels = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    return channels.mean(axis=0, dtype=np.float32)


def word_errors(said: str, recognised: str) -> int:
    """Levenshtein distance between two texts in words, lower case, punctuation ignored."""
    expected, got = (_plain_words(text) for text in (said, recognised))
    row = list(range(len(got) + 1))
    for i, word in enumerate(expected, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def _plain_words(text: str) -> list[str]:
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower())
    return kept.split()
