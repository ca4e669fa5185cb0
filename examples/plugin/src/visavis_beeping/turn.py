"""A turn detector that waits for one word: "over", as on the radio."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from visavis.layers.turn import Pause, TurnDetector


class Options(BaseModel):
    """What a persona may say of it."""

    model_config = ConfigDict(extra="forbid")

    last_word: str = Field("over", min_length=1)


class RadioDiscipline:
    """A `visavis.layers.turn.TurnDetector`."""

    def __init__(self, last_word: str) -> None:
        self._last_word = last_word.lower()

    async def probability(self, pause: Pause) -> float:
        """Sure after the word, and nearly sure of the contrary before it."""
        words = pause.text.lower().rstrip(".!?, ").split()
        return 1.0 if words and words[-1] == self._last_word else 0.05


def open_detector(options: dict[str, Any]) -> TurnDetector:
    """Called for each conversation, with `layers.conversational_flow.turn_detector`."""
    return RadioDiscipline(Options.model_validate(options).last_word)


open_detector.options = Options  # type: ignore[attr-defined]
open_detector.about = {"licence": "Apache-2.0", "languages": "any", "cost": "no"}  # type: ignore[attr-defined]
