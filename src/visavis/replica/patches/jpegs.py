"""Many small pictures in one piece of memory, decoded when they are shown."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.replica import Frame
from visavis.replica.bundle import pictures


@dataclass(frozen=True, slots=True)
class Jpegs:
    """JPEG pictures one after the other."""

    data: bytes
    ends: NDArray[np.int64]
    """int64[N]: where each picture ends."""

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> Frame:
        """Picture `number`, uint8[H, W, 3]."""
        picture = cv2.imdecode(np.frombuffer(self._packed(number), np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(picture, np.uint8)

    def all(self) -> Iterator[Frame]:
        """Every picture, in order."""
        return (self[number] for number in range(len(self)))

    def check(self, shape: tuple[int, int]) -> None:
        """Raises `ValueError` if they are not whole or not all of height and width `shape`."""
        starts = np.concatenate([[0], self.ends[:-1]])
        if (self.ends <= starts).any() or self.ends[-1] != len(self.data):
            raise ValueError("does not end where its pictures do")
        for number in range(len(self)):
            packed = self._packed(number)
            if pictures.size(packed) != shape:
                raise ValueError(f"has a picture of another size than {shape[1]} x {shape[0]}, number {number}")
            if not packed.endswith(b"\xff\xd9"):
                raise ValueError(f"has a picture that is cut off, number {number}")

    def _packed(self, number: int) -> bytes:
        first = int(self.ends[number - 1]) if number else 0
        return self.data[first : int(self.ends[number])]


def pack(frames: Iterable[Frame], quality: int) -> Jpegs:
    """Compress pictures, with colours at full resolution."""
    parts = [packed(frame, quality) for frame in frames]
    return joined(parts)


def packed(frame: Frame, quality: int) -> bytes:
    """One picture."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if quality >= 92 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    done, data = cv2.imencode(".jpg", frame, options)
    if not done:
        raise ValueError(f"a picture of shape {frame.shape} cannot be compressed")
    return data.tobytes()


def joined(parts: list[bytes]) -> Jpegs:
    """Pictures that are compressed already."""
    return Jpegs(b"".join(parts), np.cumsum([len(part) for part in parts], dtype=np.int64))
