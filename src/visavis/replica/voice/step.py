"""Learning the voice as a step of training a replica from a video."""

from dataclasses import replace
from pathlib import Path

from visavis.models import ModelMissingError
from visavis.replica.consent import Consent
from visavis.replica.train import Progress, Report, Trained, TrainingError, train_video
from visavis.replica.voice import NEEDED, can_train, train_voice
from visavis.replica.voice.part import put_into

_FACE = 0.6
"""Share of the time that the face takes."""


def train_face_and_voice(
    video: Path, folder: Path, out: Path, *, name: str, consent: Consent, report: Report
) -> Trained:
    """`visavis.replica.train.train_video`, and then the voice, into the same bundle.

    Where no voice can be learnt, because the extra is not installed or the sound is not good enough, the replica
    speaks with the stock voice, and a warning says why. Raises `TrainingError` as `train_video` does.
    """
    if not can_train():
        trained = train_video(video, folder, out, name=name, consent=consent, report=report)
        return _warned(trained, f"The replica speaks with a stock voice: {NEEDED}")

    def face(progress: Progress) -> None:
        report(Progress(_FACE * progress.share, progress.stage))

    def voice(progress: Progress) -> None:
        report(Progress(_FACE + (1 - _FACE) * progress.share, progress.stage))

    trained = train_video(video, folder, out, name=name, consent=consent, report=face)
    try:
        learnt, warnings = train_voice(video, folder, name=name, consent=consent, report=voice)
    except (TrainingError, ModelMissingError) as error:
        return _warned(trained, f"The replica speaks with a stock voice: {error}")
    put_into(out, learnt)
    return _warned(
        replace(trained, figures={**trained.figures, **{f"voice_{n}": v for n, v in learnt.about.figures.items()}}),
        *warnings,
    )


def _warned(trained: Trained, *warnings: str) -> Trained:
    return replace(trained, warnings=(*trained.warnings, *warnings))
