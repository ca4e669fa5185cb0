"""Eyes that see whether there is light."""

import asyncio
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from visavis.layers.perception import Behaviour, Noticed, Perception, Scene, Vision
from visavis.transport import Sight


class Options(BaseModel):
    """What a persona may say of them."""

    model_config = ConfigDict(extra="forbid")

    darkest: float = Field(30, ge=0, le=255)


class LightEyes:
    """`visavis.layers.perception.Eyes`."""

    def __init__(self, darkest: float) -> None:
        self._darkest = darkest
        self._was_dark = False

    async def look(self, sight: Sight, now: float) -> Scene:
        """See how bright the newest picture is."""
        picture = await asyncio.to_thread(sight.look, 64)
        if picture is None:
            return Scene(now, fresh=False)
        dark = float(picture.pixels.mean()) < self._darkest
        noticed = [] if dark == self._was_dark else [Noticed(Behaviour.DARK if dark else Behaviour.CLEAR, picture.at)]
        self._was_dark = dark
        return Scene(picture.at, view="dark" if dark else "clear", people=0 if dark else 1, noticed=tuple(noticed))


class LightPerception:
    """A `visavis.layers.perception.Perception`."""

    rate_hz = 2.0
    budget = 0.01
    vision: Vision | None = None
    """None leaves questions about the picture to the vision endpoint of the server, if it has one."""

    def __init__(self, darkest: float) -> None:
        self._darkest = darkest

    def eyes(self) -> LightEyes:
        """For one call."""
        return LightEyes(self._darkest)


def open_eyes(options: dict[str, Any]) -> Perception:
    """Called for each conversation, with the fields of `layers.perception` that visavis does not know."""
    return LightPerception(Options.model_validate(options).darkest)


open_eyes.options = Options  # type: ignore[attr-defined]
open_eyes.about = {"licence": "Apache-2.0", "languages": "any", "cost": "no"}  # type: ignore[attr-defined]
