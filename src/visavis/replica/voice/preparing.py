"""From a recording to what a voice is learnt from: clean pieces, their words, and when each phoneme sounds."""

import threading
from collections.abc import Callable

import numpy as np

from visavis import models
from visavis.audio import LISTEN_RATE_HZ
from visavis.layers.stt.moonshine_networks import MoonshineBase
from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.replica.train import TrainingError
from visavis.replica.voice.cleaning import LEAST_S, Clean
from visavis.replica.voice.material import Describer, Utterance, without_octave_errors
from visavis.replica.voice.recording import Recording
from visavis.replica.voice.spectra import RATE_HZ

ENOUGH_S = 270.0
"""More speech than this makes training longer and the voice hardly better; the pieces that fit best are taken."""

_SLOWEST, _FASTEST = 4.0, 30.0
"""Letters a second; the recogniser made something up where there are more or fewer."""
_MISMATCH = 1.3
"""Pieces whose sound follows the text so much worse than usual (median) are left out."""


def prepare(recording: Recording, clean: Clean, told: Callable[[float], None]) -> list[Utterance]:
    """Transcribe and align every piece. Raises `TrainingError`, `visavis.models.ModelMissingError`.

    `told` hears the share that is done.
    """
    recogniser = MoonshineBase(models.path("moonshine-base-en"))
    describer = Describer(HibariNetwork())
    found: list[Utterance] = []
    for number, piece in enumerate(clean.pieces):
        text = recogniser.transcribe(piece.of(recording.listened, LISTEN_RATE_HZ), threading.Event()).text.strip()
        letters = sum(map(str.isalnum, text))
        if _SLOWEST <= letters / piece.seconds <= _FASTEST:
            described = describer.describe(piece.of(recording.samples, RATE_HZ), text)
            if described is not None:
                found.append(described)
        told((number + 1) / len(clean.pieces))
    usual = float(np.median([one.mismatch for one in found])) if found else 0.0
    found = [one for one in found if one.mismatch <= _MISMATCH * usual]
    understood_s = sum(one.seconds for one in found)
    if understood_s < LEAST_S * 0.8:
        raise TrainingError(
            "audio",
            f"Only {understood_s:.0f} s of the speech can be understood; expected {LEAST_S:.0f} s or more of English, "
            "spoken clearly.",
        )
    return _best(without_octave_errors(found))


def _best(utterances: list[Utterance]) -> list[Utterance]:
    """At most `ENOUGH_S`, in the order in which they were said."""
    ranked = np.argsort([one.mismatch for one in utterances])
    taken: set[int] = set()
    total = 0.0
    for number in ranked:
        if total < ENOUGH_S:
            taken.add(int(number))
            total += utterances[number].seconds
    return [one for number, one in enumerate(utterances) if number in taken]
