"""The waterfall of one turn: when each stage of a reply was done."""

from typing import Literal, get_args

Stage = Literal[
    "asked",  # a client's own words or sound were the next to be said; first of all stages in echo mode
    "last_voice",  # the person's last voiced sound reached the server
    "vad_end",  # the pause was noticed
    "turn_decision",  # the floor decided that the turn was over
    "final_text",  # the recogniser's last word on what was said
    "first_token",  # of the language model
    "first_clause",  # enough text to speak
    "first_sound",  # synthesised
    "first_frame",  # rendered, with the mouth of that sound
    "sent",  # the first sound was handed to the network: an opener, where one was needed
    "own_words",  # so was the first of the reply's own words
]
STAGES: tuple[Stage, ...] = get_args(Stage)


class Waterfall:
    """Times of the stages of one turn, in seconds of the conversation's clock. Each stage keeps its first mark."""

    def __init__(self) -> None:
        self._marks: dict[Stage, float] = {}

    def mark(self, stage: Stage, at: float) -> None:
        """`stage` was done at `at`; later marks of the same stage do not count."""
        self._marks.setdefault(stage, at)

    def adopt(self, other: "Waterfall", stages: tuple[Stage, ...]) -> None:
        """Replace the marks of `stages` by those of another waterfall, where it has them."""
        self._marks |= {stage: other._marks[stage] for stage in stages if stage in other._marks}

    @property
    def began_at(self) -> float | None:
        """When the first marked stage was done."""
        return next((self._marks[stage] for stage in STAGES if stage in self._marks), None)

    def stages_ms(self) -> dict[Stage, float]:
        """Milliseconds from the first marked stage to each marked stage.

        A typed turn begins at its final text, what a client has said exactly at `asked`.
        """
        origin = self.began_at
        if origin is None:
            return {}
        return {stage: round(1000 * (self._marks[stage] - origin), 1) for stage in STAGES if stage in self._marks}

    @property
    def utterance_to_utterance_ms(self) -> float | None:
        """Last voice to first sound sent, in milliseconds, as the server sees it; None if either is unknown."""
        if "last_voice" not in self._marks or "sent" not in self._marks:
            return None
        return round(1000 * (self._marks["sent"] - self._marks["last_voice"]), 1)
