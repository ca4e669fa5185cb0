"""Things in a picture by name: EfficientDet-Lite on the 80 classes of COCO."""

import zipfile

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.faces.network import Network
from visavis.layers.perception.kinds import HANDHELD

SURE = 0.5
SURE_HANDHELD = 0.42
"""What people hold up is what is to be expected in a call; a lower score is enough for it."""

MOST = 5


class Things:
    """About 35 ms a picture. Belongs to one thread at a time."""

    def __init__(self) -> None:
        model = models.path("object-detector") / "object_detector.tflite"
        with zipfile.ZipFile(model) as metadata:
            self._names = metadata.read("labels.txt").decode().split("\n")
        self._network = Network(model.read_bytes())

    def see(self, frame: NDArray[np.uint8]) -> tuple[str, ...]:
        """Names of things in uint8[H, W, 3] BGR, the surest first; people are left out."""
        side = self._network.input_shape[1]
        height, width = frame.shape[:2]
        scale = side / max(height, width)
        small = cv2.resize(frame, (max(round(width * scale), 1), max(round(height * scale), 1)))
        square = np.full((side, side, 3), 127, np.uint8)
        square[: small.shape[0], : small.shape[1]] = small[..., ::-1]
        scores = next(values for values in self._network(square) if values.shape[-1] > 4)
        best = scores.reshape(-1, scores.shape[-1]).max(0)
        order = [int(index) for index in np.argsort(-best) if best[index] >= SURE_HANDHELD]
        found = [(self._names[index], best[index]) for index in order if index < len(self._names)]
        sure = [name for name, score in found if score >= (SURE_HANDHELD if name in HANDHELD else SURE)]
        return tuple(name for name in sure if name not in ("???", "person"))[:MOST]
