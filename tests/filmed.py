"""A video of one talker, put together from the clips of `tests.speech` where they are."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.speech import grid_clip_path, grid_names

_FPS, _RATE_HZ = 25, 44_100


def write_film(path: Path, count: int) -> None:
    """Join the first `count` clips (3 s each) into one MP4 (MPEG-4 and AAC), sound and picture in step."""
    with av.open(path, "w") as film:
        pictures = film.add_stream("mpeg4", rate=_FPS)
        pictures.bit_rate = 3_000_000
        sound = film.add_stream("aac", rate=_RATE_HZ)
        sound.layout = "mono"
        with av.open(grid_clip_path(grid_names()[0])) as first:
            pictures.width, pictures.height = first.streams.video[0].width, first.streams.video[0].height
        shown = 0
        for name in grid_names()[:count]:
            started = shown
            with av.open(grid_clip_path(name)) as clip:
                for frame in clip.decode(video=0):
                    frame.pts, frame.time_base = shown, Fraction(1, _FPS)
                    shown += 1
                    film.mux(pictures.encode(frame))
            spoken = np.zeros((1, (shown - started) * _RATE_HZ // _FPS), np.float32)
            found = _sound(grid_clip_path(name))[: spoken.shape[1]]
            spoken[0, : len(found)] = found
            piece = av.AudioFrame.from_ndarray(spoken, "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = (
                _RATE_HZ,
                started * _RATE_HZ // _FPS,
                Fraction(1, _RATE_HZ),
            )
            film.mux(sound.encode(piece))
        for stream in (pictures, sound):
            film.mux(stream.encode(None))


def _sound(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("fltp", "mono", _RATE_HZ)
    with av.open(path) as clip:
        frames = [frame for piece in [*clip.decode(audio=0), None] for frame in resampler.resample(piece)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
