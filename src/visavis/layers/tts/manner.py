"""How something is said: speed, pitch, energy, and the size of the throat that says it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_VOICED_HZ = 40.0
_ENERGY_PER_DB = 0.972 / 20 * np.log(10)
"""What the network's energy gains when speech gets louder by 1 dB."""


@dataclass(frozen=True, slots=True)
class Manner:
    """Differences from how the network would say it.

    Speed, pitch and energy are told to the network, which knows how such speech sounds; `transpose` and `throat`
    change its sound afterwards, for voices that the network was never taught.
    """

    speed: float = 1.0
    """1.25 is a quarter faster."""
    pitch_semitones: float = 0.0
    pitch_range: float = 1.0
    """How far the melody moves from its middle; 0 is monotonous."""
    energy_db: float = 0.0
    energy_range: float = 1.0
    """How much stressed words stand out."""
    transpose: float = 1.0
    """What the pitch of the finished speech is multiplied by; 0.55 makes a woman's voice as low as a man's."""
    throat: float = 1.0
    """How long the throat is: 1.15 moves all resonances down, as from a woman to a man."""
    breath_db: float = 0.0
    """More or less noise in the voice."""

    def then(self, other: "Manner") -> "Manner":
        """Both together."""
        return Manner(
            self.speed * other.speed,
            self.pitch_semitones + other.pitch_semitones,
            self.pitch_range * other.pitch_range,
            self.energy_db + other.energy_db,
            self.energy_range * other.energy_range,
            self.transpose * other.transpose,
            self.throat * other.throat,
            self.breath_db + other.breath_db,
        )

    def shape(self, pitch: Floats, energy: Floats) -> tuple[Floats, Floats]:
        """Pitch (Hz) and energy [1, frames] as the network is to speak them."""
        voiced = pitch > _VOICED_HZ
        if voiced.any() and (self.pitch_semitones or self.pitch_range != 1):
            logs = np.log2(np.maximum(pitch, _VOICED_HZ))
            middle = float(np.median(logs[voiced]))
            moved = 2 ** (middle + self.pitch_range * (logs - middle) + self.pitch_semitones / 12)
            pitch = np.where(voiced, np.maximum(moved, _VOICED_HZ + 1), pitch).astype(np.float32)
        if voiced.any() and (self.energy_db or self.energy_range != 1):
            middle = float(np.median(energy[voiced]))
            louder = middle + self.energy_range * (energy - middle) + self.energy_db * _ENERGY_PER_DB
            energy = np.where(voiced, louder, energy + self.energy_db * _ENERGY_PER_DB).astype(np.float32)
        return pitch, energy

    def tune(self, pitch: Floats) -> Floats:
        """Pitch of the finished speech, Hz [frames]."""
        if self.transpose == 1:
            return pitch
        return np.where(pitch > _VOICED_HZ, np.maximum(pitch * self.transpose, _VOICED_HZ + 1), pitch)

    def colour(self, spectra: Iterable[Floats]) -> tuple[Floats, ...]:
        """The five spectra [601, frames] with their resonances moved."""
        harmonic, turn, noise, rest, phase = spectra
        if self.throat != 1:
            harmonic, noise, rest = (_stretched(one, self.throat) for one in (harmonic, noise, rest))
        if self.transpose != 1:
            # Harmonics that lie closer add up to more.
            harmonic = harmonic + np.float32(np.log(self.transpose))
        if self.breath_db:
            noise = noise + np.float32(self.breath_db / 20 * np.log(10))
        return harmonic, turn, noise, rest, phase


PLAIN = Manner()


def _stretched(spectrum: Floats, factor: float) -> Floats:
    """Log magnitudes moved down the frequency axis by `factor`; the top is filled with what was there last."""
    bins = len(spectrum)
    places = np.minimum(np.arange(bins) * factor, bins - 1.001)
    low = places.astype(np.int64)
    share = (places - low)[:, None].astype(np.float32)
    return np.asarray(spectrum[low] * (1 - share) + spectrum[low + 1] * share, np.float32)


EMOTIONS = {
    "neutral": PLAIN,
    "happiness": Manner(speed=1.06, pitch_semitones=1.6, pitch_range=1.35, energy_db=1.5, energy_range=1.1),
    "sadness": Manner(speed=0.88, pitch_semitones=-1.2, pitch_range=0.65, energy_db=-2.5, energy_range=0.85),
    "anger": Manner(speed=1.06, pitch_semitones=0.8, pitch_range=1.2, energy_db=3.0, energy_range=1.2),
    "fear": Manner(speed=1.1, pitch_semitones=2.2, pitch_range=0.85, energy_db=-1.0, breath_db=2.0),
    "surprise": Manner(speed=1.02, pitch_semitones=2.0, pitch_range=1.5, energy_db=1.0, energy_range=1.1),
    "disgust": Manner(speed=0.93, pitch_semitones=-1.0, pitch_range=0.9, energy_db=-0.5),
    "contempt": Manner(speed=0.94, pitch_semitones=-0.8, pitch_range=0.8, energy_db=-1.0),
}
"""What pitch, energy and pace can say of a feeling, after Scherer, "Vocal communication of emotion" (2003); how a
voice trembles or strains they cannot. Names as in `visavis.replica.Emotion`."""
