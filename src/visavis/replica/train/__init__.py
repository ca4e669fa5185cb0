"""Training: from a video or a photo of a person to a `.replica` file.

Both calls block, for minutes; they belong in a thread or a child process. `folder` keeps what is done already: called
again with the same video and folder after any interruption, they go on where they were. `out` appears whole at the
end, or not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from visavis.errors import VisavisError
from visavis.replica.consent import Consent


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    share: float
    """0 to 1; never falls."""
    stage: str
    """What is being done, in plain words: "Looking for the face"."""


Report: TypeAlias = Callable[[Progress], None]
"""Told how far a training is. Cheap; may be called for every frame."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A replica that was made."""

    path: Path
    """The `.replica` file."""
    warnings: tuple[str, ...] = ()
    """What keeps it from being better, for people to read."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured while it was made; names say the units."""


class TrainingError(VisavisError):
    """The video or photo cannot be used; the text says what is wrong with it and what would be right.

    `error_type` is one word of the API's list, such as `video_duration` or `improper_camera_angle`.
    """

    def __init__(self, error_type: str, text: str) -> None:
        super().__init__(text)
        self.error_type = error_type


def train_video(video: Path, folder: Path, out: Path, *, name: str, consent: Consent, report: Report) -> Trained:
    """Make a replica of the person in a video. Raises `TrainingError`."""
    from visavis.replica.train.video import train

    return train(video, folder, out, name=name, consent=consent, report=report)


def train_photo(photo: Path, folder: Path, out: Path, *, name: str, consent: Consent, report: Report) -> Trained:
    """Make a replica of the person in a photo. Raises `TrainingError`."""
    from visavis.replica.train.photo import train

    return train(photo, folder, out, name=name, consent=consent, report=report)
