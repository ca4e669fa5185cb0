"""Looking on request: what the tool `look` does."""

import asyncio
import logging

from visavis.conversation.observations import Observations
from visavis.errors import EngineError
from visavis.layers.perception import Perception
from visavis.transport import Picture, Sight, VideoCall

_log = logging.getLogger(__name__)

LONGEST_SIDE = 1024
PICTURE_PATIENCE_S = 1.5
"""How long a look waits for a picture to come."""


async def look(question: str, call: VideoCall, perception: Perception, observations: Observations) -> str:
    """Answer `question` about what the person shows, in words for a language model.

    The shared screen goes before the camera, as people share it to talk about it. Without a vision model the answer
    is what the eyes tell, and what they cannot.
    """
    screen = call.sight("screen")
    sight = screen or call.sight("camera")
    if sight is None:
        return "The caller's camera is off, so nothing can be seen."
    if perception.vision is None:
        told = f"Seen: {observations.description(question)}"
        return f"{told} The caller shares a screen, but it cannot be read here." if screen else told
    picture = await newest_picture(sight, LONGEST_SIDE)
    if picture is None:
        return f"No picture came. Seen before: {observations.description(question)}"
    try:
        return await perception.vision.answer(question or "What is to be seen?", picture.pixels)
    except EngineError as error:
        _log.error("%s", error)
        return f"The vision model did not answer. Seen: {observations.description(question)}"


async def newest_picture(sight: Sight, longest_side: int) -> Picture | None:
    """The next picture that comes, or the newest that nobody has looked at; None when none comes soon."""
    for _ in range(round(PICTURE_PATIENCE_S / 0.1)):
        if (picture := await asyncio.to_thread(sight.look, longest_side)) is not None:
            return picture
        await asyncio.sleep(0.1)
    return None
