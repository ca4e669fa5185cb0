"""What a voice is learnt from: utterances with their phonemes, when each sounds, pitch and energy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavis.audio import Samples
from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.layers.tts.pronunciation import Pronouncer
from visavis.layers.tts.spoken_text import spoken_text
from visavis.replica.voice.alignment import align
from visavis.replica.voice.pitch import pitch_of
from visavis.replica.voice.spectra import FRAMES_PER_UNIT, HOP, energy

UNIT = FRAMES_PER_UNIT * HOP
LOUDNESS = 0.06
"""Root mean square of speech as the network was trained; the network makes it as loud."""

MARGIN_S = 0.1
"""Silence around an utterance, which the network expects."""

FEWEST_TOKENS = 6
_OCTAVE = 1.8
"""Pitch this far from the usual is an octave error."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One piece of speech at 24 kHz, a whole number of units (25 ms) long.

    `tokens` int64[L] begins and ends with the padding token; `units` int64[L] adds up to the length; `pitch` (Hz,
    0 unvoiced) and `energy` float32[2 * sum(units)].
    """

    text: str
    tokens: NDArray[np.int64]
    units: NDArray[np.int64]
    pitch: NDArray[np.float32]
    energy: NDArray[np.float32]
    samples: Samples
    mismatch: float
    """How badly the alignment fits."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / 24_000


class Describer:
    """From speech and its text to an `Utterance`, by the stock voice saying the same. 0.3 s of work for 3 s."""

    def __init__(self, network: HibariNetwork) -> None:
        self._network = network
        self._pronouncer = Pronouncer(network.alphabet)

    def describe(self, speech: Samples, text: str) -> Utterance | None:
        """None where the text has too little to say, or more than there is time for."""
        said = list(self._pronouncer.pronounce(spoken_text(text)))
        phonemes = " ".join(one.phonemes for one in said if one.phonemes)
        tokens = self._network.tokens(phonemes)
        samples = _prepared(speech)
        count = len(samples) // UNIT
        if len(tokens) < FEWEST_TOKENS or len(tokens) > count:
            return None
        known = self._network.speak_tokens(tokens)
        units, mismatch = align(known.samples, known.units.tolist(), samples)
        frames = count * FRAMES_PER_UNIT
        return Utterance(text, tokens, units, pitch_of(samples)[:frames], energy(samples)[:frames], samples, mismatch)


def _prepared(speech: Samples) -> Samples:
    """As loud as the network speaks, with silence around, cut to whole units."""
    power = np.convolve(np.square(speech), np.full(600, 1 / 600), "same")
    spoken = power > max(1e-7, float(power.max()) * 1e-3)
    louder = LOUDNESS / float(np.sqrt(np.square(speech[spoken]).mean() + 1e-12))
    margin = round(MARGIN_S * 24_000)
    padded = np.pad(speech * np.float32(louder), (margin, margin + UNIT))
    return np.asarray(padded[: len(padded) // UNIT * UNIT], np.float32)


def without_octave_errors(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Frames whose pitch is far from the speaker's usual one become unvoiced."""
    voiced = np.concatenate([one.pitch[one.pitch > 0] for one in utterances] or [np.zeros(1, np.float32)])
    usual = float(np.median(voiced)) if len(voiced) else 0.0
    return [
        replace(
            one,
            pitch=np.where((one.pitch < usual * _OCTAVE) & (one.pitch > usual / _OCTAVE), one.pitch, 0).astype(
                np.float32
            ),
        )
        for one in utterances
    ]


def save(path: Path, utterances: Iterable[Utterance]) -> None:
    """Keep them in a file; whole, or not at all."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for number, one in enumerate(utterances):
        for name in ("tokens", "units", "pitch", "energy", "samples"):
            arrays[f"{number}.{name}"] = getattr(one, name)
        arrays[f"{number}.text"] = np.array(one.text)
        arrays[f"{number}.mismatch"] = np.array(one.mismatch)
    unfinished = path.with_suffix(".partial.npz")
    np.savez(unfinished, **arrays)  # type: ignore[arg-type]
    unfinished.replace(path)


def load(path: Path) -> list[Utterance]:
    """What `save` kept."""
    with np.load(path, allow_pickle=False) as kept:
        count = len({name.split(".")[0] for name in kept.files})
        return [
            Utterance(
                str(kept[f"{n}.text"]),
                kept[f"{n}.tokens"],
                kept[f"{n}.units"],
                kept[f"{n}.pitch"],
                kept[f"{n}.energy"],
                kept[f"{n}.samples"],
                float(kept[f"{n}.mismatch"]),
            )
            for n in range(count)
        ]
