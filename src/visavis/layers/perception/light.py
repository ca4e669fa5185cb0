"""Whether a camera's picture shows anything at all."""

import cv2
import numpy as np
from numpy.typing import NDArray

from visavis.layers.perception import View

DARK = 28.0
"""Mean brightness (0 to 255) of the brighter half, below which faces are not found reliably."""

PLAIN = 2.0
"""Standard deviation of the brightness under which there is nothing in the picture."""

FROZEN_AFTER_S = 6.0
UNCHANGED = 0.35
"""Mean change of the brightness; the noise of a real camera is more, and even a good encoder keeps some of it."""


class Light:
    """Judges the pictures of one camera. Owner of the last one, at 64 x 48 pixels."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._changed_at: float | None = None

    def judge(self, pixels: NDArray[np.uint8] | None, now: float) -> View:
        """Take the newest picture (None: no new one has come)."""
        if pixels is None:
            self._changed_at = now if self._changed_at is None else self._changed_at
            return "frozen" if now - self._changed_at > FROZEN_AFTER_S else "clear"
        small = np.asarray(
            cv2.cvtColor(cv2.resize(pixels, (64, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY), np.uint8
        )
        last, self._last = self._last, small
        if last is None or float(cv2.absdiff(small, last).mean()) > UNCHANGED or self._changed_at is None:
            self._changed_at = now
        if float(small.std()) < PLAIN:
            return "covered"
        if float(np.mean(small[small >= np.median(small)])) < DARK:
            return "dark"
        return "frozen" if now - self._changed_at > FROZEN_AFTER_S else "clear"
