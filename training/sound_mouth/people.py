"""Does the mouth move as a person's does? Lips of a filmed talker against what is made of their sound.

GRID corpus, talker 1 (Cooke et al. 2006, CC BY 4.0), 25 pictures a second, as looked for by `tests/speech.py`; never
learnt from. How far the mouth is open is taken from the picture: the share of dark pixels around the lips, which follow
the nose, and how far the chin is below the nose.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm

Floats = NDArray[np.float64]
Pictures = NDArray[np.uint8]

_NOSE, _CHIN = (163, 185, 18, 8), (161, 238, 24, 9)
"""Where they are in the picture: middle, and half of width and height."""
_LIPS = (slice(195, 232), slice(138, 186))
_REACH = 14
_SHIFTS = range(-3, 4)


def filmed(folder: Path, count: int) -> Iterator[tuple[Pcm, dict[str, Floats]]]:
    """Sound at 48 kHz of some clips, and two measures of how open the mouth is in each of their pictures."""
    for path in sorted(folder.glob("*.mpg"))[:count]:
        pictures, sound = _read(path)
        smooth = [cv2.GaussianBlur(picture, (0, 0), 1.2) for picture in pictures]
        nose, chin = _heights(smooth, _NOSE), _heights(smooth, _CHIN)
        below = chin - nose
        below -= np.polyval(np.polyfit(np.arange(len(below)), below, 1), np.arange(len(below)))
        lips = np.stack([np.roll(p, -round(d), 0)[_LIPS] for p, d in zip(pictures, nose, strict=True)])
        dark = (lips < 0.5 * np.median(lips, axis=(1, 2), keepdims=True)).mean((1, 2))
        yield sound, {"dark pixels": dark, "chin": below}


def agreement(clips: list[tuple[Pcm, dict[str, Floats]]], mouth: Callable[[Pcm], Floats]) -> dict[str, Floats]:
    """Correlation of each measure with `mouth`, which says for every 40 ms of a sound how open it is; mean over the
    clips, for the picture coming `_SHIFTS` frames later.
    """
    found: dict[str, list[list[float]]] = {}
    for sound, measures in clips:
        said = mouth(sound)
        for name, seen in measures.items():
            size = min(len(said), len(seen)) - 6
            rows = [float(np.corrcoef(said[3 : 3 + size], seen[3 + s : 3 + s + size])[0, 1]) for s in _SHIFTS]
            found.setdefault(name, []).append(rows)
    return {name: np.nanmean(rows, axis=0) for name, rows in found.items()}


def _read(path: Path) -> tuple[Pictures, Pcm]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=PLAYOUT_RATE_HZ)
    with av.open(str(path)) as container:
        pictures = np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.asarray(pictures, np.uint8), np.concatenate(parts).astype(np.int16)


def _heights(pictures: list[Pictures], place: tuple[int, int, int, int]) -> Floats:
    """How far below its place in the tenth picture a part of the face is in each, in pixels."""
    x, y, width, height = place
    part = pictures[10][y - height : y + height, x - width : x + width]
    found = []
    for picture in pictures:
        around = picture[y - height - _REACH : y + height + _REACH, x - width - 4 : x + width + 4]
        likeness = cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED)
        column = likeness[:, int(np.unravel_index(likeness.argmax(), likeness.shape)[1])]
        best = min(max(int(column.argmax()), 1), len(column) - 2)
        before, peak, after = column[best - 1 : best + 2]
        bend = before - 2 * peak + after
        found.append(best - _REACH + float(np.clip(0.5 * (before - after) / bend if bend else 0.0, -0.5, 0.5)))
    return np.array(found)
