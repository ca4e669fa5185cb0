"""Which pixels belong to a person: MediaPipe's selfie segmenter."""

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.faces.network import Floats, Network


class PersonMask:
    """Masks people near the camera; about 8 ms a frame. Belongs to one thread at a time."""

    def __init__(self) -> None:
        self._network = Network((models.path("person-mask") / "selfie_segmenter.tflite").read_bytes())

    def of(self, frame: NDArray[np.uint8]) -> Floats:
        """float32[H, W], 0 to 1. The network looks at 256 x 256 pixels, so edges of larger frames are soft."""
        _, height, width, _ = self._network.input_shape
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        (mask,) = self._network(np.multiply(small[..., ::-1], 1 / 255, dtype=np.float32))
        sized = cv2.resize(mask[0, ..., 0], frame.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(sized, 0, 1), np.float32)
