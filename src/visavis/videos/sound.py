"""What is said in a video: a script spoken by a voice, or a recording."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.errors import BadInputError
from visavis.layers.tts import Speech, TextToSpeech

SHORTEST_S, LONGEST_S = 3.0, 600.0
"""Recordings that are taken."""

# A playlist among the formats would let a stranger's file make FFmpeg open other files and addresses.
FORMATS = "wav,mp3,ogg,flac,aac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,asf,flv"


async def spoken(script: str, voice: TextToSpeech) -> list[Speech]:
    """`script` in this voice. Raises `BadInputError` when there is nothing to say, and `EngineError`."""
    speeches = [speech async for speech in voice.stream(script)]
    if not speeches:
        raise BadInputError("script", script, "text that can be spoken")
    return speeches


def recorded(path: Path, field: str = "audio_url") -> Speech:
    """The recording in an audio file (WAV, MP3, FLAC, Ogg, M4A, WebM); of a video its sound.

    Raises `BadInputError` that names `field`.
    """
    pcm = _decoded(path, field)
    duration_s = len(pcm) / PLAYOUT_RATE_HZ
    if not SHORTEST_S <= duration_s <= LONGEST_S:
        expected = f"a recording of {SHORTEST_S:g} s to {LONGEST_S / 60:g} minutes"
        raise BadInputError(field, f"{duration_s:.1f} s", expected)
    return Speech(pcm, (), ())


def beginning(path: Path, field: str, seconds: float, rate_hz: int = PLAYOUT_RATE_HZ) -> Pcm:
    """The first `seconds` of the sound of a recording or video: int16[N] at `rate_hz`.

    Raises `BadInputError` that names `field`.
    """
    return _decoded(path, field, seconds, rate_hz)[: round(seconds * rate_hz)]


def _decoded(path: Path, field: str, most_s: float = LONGEST_S, rate_hz: int = PLAYOUT_RATE_HZ) -> Pcm:
    """int16[N], of too long ones only a little more than `most_s`."""
    expected = "a WAV, MP3, FLAC, Ogg, M4A, MP4 or WebM file with sound"
    pieces: list[Pcm] = []
    samples = 0
    try:
        with av.open(path, container_options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
            if not container.streams.audio:
                raise BadInputError(field, path.name, expected)
            for piece in _resampled(container, rate_hz):
                pieces.append(piece)
                samples += len(piece)
                if samples > (most_s + 1) * rate_hz:
                    break
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadInputError(field, path.name, f"{expected} ({getattr(error, 'strerror', None) or error})") from error
    return np.concatenate([np.zeros(0, np.int16), *pieces])


def _resampled(container: av.container.InputContainer, rate_hz: int) -> Iterator[Pcm]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    for frame in container.decode(container.streams.audio[0]):
        for resampled in resampler.resample(frame):
            yield np.asarray(resampled.to_ndarray()[0], np.int16)
    for resampled in resampler.resample(None):
        yield np.asarray(resampled.to_ndarray()[0], np.int16)
