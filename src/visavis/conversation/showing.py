"""What the person shows, as a picture for a language model that takes pictures."""

import asyncio

import cv2

from visavis.replica import Frame
from visavis.transport import Call, Sight, SightKind, VideoCall

LONGEST_SIDE: dict[SightKind, int] = {"screen": 1024, "camera": 512}
"""Pixels: text on a screen needs more of them than a person does."""

MOST_BYTES = 150_000
QUALITIES = (80, 60, 40, 20)
"""Of the JPEG, 0 to 100: the first that is small enough."""

PATIENCE_S = 0.3
"""How long to wait for a picture; others look too, and each picture is seen once."""
_LOOK_EVERY_S = 0.03

STILL_NEW_S = 2.0
"""A picture of the camera that is older is not shown again. One of a screen is: a screen that does not change is not
sent again either."""


class Showing:
    """The newest picture of one call. Owner of the one that was shown last."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._last: tuple[Sight, bytes, float] | None = None

    async def picture(self) -> bytes | None:
        """A JPEG of the screen if the person shares one, else of the camera; None when both are off."""
        call: object = self._call
        if not isinstance(call, VideoCall):
            return None
        for kind in LONGEST_SIDE:
            if (sight := call.sight(kind)) and (found := await self._newest(sight, kind)):
                return found
        return None

    async def _newest(self, sight: Sight, kind: SightKind) -> bytes | None:
        now = asyncio.get_running_loop().time
        until = now() + PATIENCE_S
        while True:
            if (picture := await asyncio.to_thread(sight.look, LONGEST_SIDE[kind])) is not None:
                self._last = (sight, await asyncio.to_thread(jpeg, picture.pixels), now())
                return self._last[1]
            if self._last and self._last[0] is sight and (kind == "screen" or now() - self._last[2] < STILL_NEW_S):
                return self._last[1]
            if now() >= until:
                return None
            await asyncio.sleep(_LOOK_EVERY_S)


def jpeg(pixels: Frame) -> bytes:
    """uint8[H, W, 3] BGR as a JPEG of at most `MOST_BYTES`, if the lowest quality allows that."""
    made = b""
    for quality in QUALITIES:
        made = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(made) <= MOST_BYTES:
            break
    return made
