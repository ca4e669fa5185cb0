"""The stages of training from a video: their names for people, and how much of the time each takes."""

from typing import Final

from visavis.replica.train import Progress

STAGES: Final = {
    "survey": ("Looking for the face", 0.04),
    "track": ("Measuring the face in every picture", 0.50),
    "learn": ("Learning how these lips move", 0.20),
    "idle": ("Looking for calm moments", 0.08),
    "mouths": ("Collecting pictures of the mouth", 0.10),
    "preview": ("Filming a preview", 0.06),
    "pack": ("Packing the replica", 0.02),
}
"""Text and share of the whole, in order; the shares add up to 1."""


def share_of(stage: str, done: float) -> Progress:
    """Progress of the whole when `done` (0 to 1) of a stage is."""
    names = list(STAGES)
    before = sum(STAGES[name][1] for name in names[: names.index(stage)])
    text, share = STAGES[stage]
    return Progress(min(before + share * min(done, 1.0), 1.0), text)
