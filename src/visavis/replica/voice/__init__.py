"""A voice of one's own: from minutes of a person's speech to a `.voice` file that calls can speak with.

    train_voice(source, folder, name=..., consent=..., report=...)   from a recording or video to a `Voice`; minutes

Training needs torch (`pip install 'visavis[train]'`); speaking does not. What a `.voice` file is:
`visavis.layers.tts.voice_file`; how it speaks: `visavis.layers.tts.hibari`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from visavis.errors import VisavisError

if TYPE_CHECKING:
    from pathlib import Path

    from visavis.layers.tts.voice_file import Voice
    from visavis.replica.consent import Consent
    from visavis.replica.train import Report

NEEDED = "learning a voice needs torch, which is not installed; install it with: pip install 'visavis[train]'"


class TrainingExtraMissingError(VisavisError):
    """The extra `train` is not installed."""

    def __init__(self) -> None:
        super().__init__(NEEDED)


def can_train() -> bool:
    """Whether what training needs is installed."""
    return importlib.util.find_spec("torch") is not None


def train_voice(
    source: Path,
    folder: Path,
    *,
    name: str,
    consent: Consent,
    report: Report,
    steps: int | None = None,
    statement: Path | None = None,
) -> tuple[Voice, tuple[str, ...]]:
    """Learn the voice of the one person who speaks in a recording or video; returns it, and warnings.

    Blocks for minutes; belongs in a thread or a child process. `folder` keeps what is done already: called again with
    the same source after any interruption, it goes on where it was. `steps` shortens or lengthens the training.
    `statement` is the recording in which the person agreed: where its voice is far from the learnt one, a warning is
    returned.

    Raises `visavis.replica.train.TrainingError` for a recording that cannot be used, `TrainingExtraMissingError`, and
    `visavis.models.ModelMissingError`.
    """
    if not can_train():
        raise TrainingExtraMissingError
    from visavis.replica.voice.training import train

    return train(source, folder, name=name, consent=consent, report=report, steps=steps, statement=statement)
