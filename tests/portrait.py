"""A photo for tests that make a replica of one: the stock replica's face, which nobody has to consent to."""

from typing import cast

import cv2

from visavis.replica import Attitude
from visavis.replica.key_frames import KeyFrameReplica
from visavis.replica.stock import stock


def portrait() -> bytes:
    """A PNG of it, large enough to be taken."""
    frame = cast(KeyFrameReplica, stock()).renderer(seed=0).render(None, Attitude.IDLE)
    return cv2.imencode(".png", cv2.resize(frame, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC))[1].tobytes()
