"""Two ways of telling speakers apart, to judge cloned voices by; neither is used in training them.

`ge2e` is Resemblyzer's encoder (Wan et al. 2018, "Generalized end-to-end loss for speaker verification"; weights from
the package resemblyzer 0.1.4, MIT), its network written down here. `statistics` needs no training: the means and
spreads of cepstra, which is how speakers were told apart before networks did it, each in units of how much speakers
differ in it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from visavis.audio import Samples
from visavis.replica.voice import spectra

Floats = NDArray[np.float64]

_RATE_HZ, _WINDOW, _HOP, _BANDS = 16_000, 400, 160, 40
_PARTIAL, _STEP = 160, 77
"""Frames of one look, and from one to the next."""
_LOUDNESS = 10 ** (-30 / 20)


class Ge2e:
    """Encoder 1: 256 numbers of unit length. Needs torch."""

    def __init__(self, weights: Path) -> None:
        import torch

        torch.set_num_threads(1)
        state = torch.load(weights, map_location="cpu", weights_only=False)["model_state"]
        self._lstm: Any = torch.nn.LSTM(_BANDS, 256, 3, batch_first=True)
        self._lstm.load_state_dict({name[5:]: value for name, value in state.items() if name.startswith("lstm.")})
        self._linear = state["linear.weight"], state["linear.bias"]

    def __call__(self, samples: Samples) -> Floats:
        """Of one utterance at 16 kHz."""
        import torch

        mels = _mels(_trimmed(samples))
        if len(mels) < _PARTIAL:
            mels = np.pad(mels, ((0, _PARTIAL - len(mels)), (0, 0)), mode="wrap")
        looks = np.stack([mels[at : at + _PARTIAL] for at in range(0, len(mels) - _PARTIAL + 1, _STEP)])
        with torch.no_grad():
            _, (hidden, _) = self._lstm(torch.tensor(looks, dtype=torch.float32))
            found = torch.relu(hidden[-1] @ self._linear[0].T + self._linear[1]).numpy().astype(np.float64)
        return _unit((found / np.linalg.norm(found, axis=1, keepdims=True)).mean(axis=0))


class Statistics:
    """Encoder 2: means and spreads of 20 cepstra, against a background of many speakers."""

    def __init__(self, background: Sequence[Samples]) -> None:
        """`background` are utterances of various speakers at 16 kHz."""
        table = np.array([self._raw(one) for one in background])
        self._middle, self._spread = table.mean(axis=0), table.std(axis=0) + 1e-3

    def __call__(self, samples: Samples) -> Floats:
        """Of one utterance at 16 kHz."""
        return _unit((self._raw(samples) - self._middle) / self._spread)

    @staticmethod
    def _raw(samples: Samples) -> Floats:
        mels = np.log(_mels(_trimmed(samples)) + 1e-8)
        loud = mels.mean(axis=1) > np.percentile(mels.mean(axis=1), 40)
        bands = np.arange(_BANDS)
        cosines = np.cos(np.pi * np.arange(1, 21)[:, None] * (bands + 0.5) / _BANDS)
        cepstra = mels[loud] @ cosines.T
        return np.concatenate([cepstra.mean(axis=0), np.log(cepstra.std(axis=0) + 1e-3)])


def similarity(encoder: Any, made: Sequence[Samples], real: Sequence[Samples]) -> tuple[float, float]:
    """Mean cosine of utterances that were made to the person's real ones, and of the real ones to each other.

    The second, of each real utterance to the mean of the rest, is the ceiling.
    """
    theirs = np.array([encoder(one) for one in real])
    ours = np.array([encoder(one) for one in made])
    alone = [float(one @ _unit(theirs.sum(axis=0) - one)) for one in theirs]
    return float((ours @ _unit(theirs.sum(axis=0))).mean()), float(np.mean(alone))


def _unit(values: Floats) -> Floats:
    return np.asarray(values / (np.linalg.norm(values) + 1e-12))


def _trimmed(samples: Samples) -> Samples:
    """Without what is silent, at the encoder's loudness."""
    frames = samples[: len(samples) // 480 * 480].reshape(-1, 480)
    power = np.square(frames).mean(axis=1)
    kept = np.convolve(power > power.max() * 1e-4, np.ones(7), "same") > 0
    speech = frames[kept].ravel()
    return np.asarray(speech * (_LOUDNESS / np.sqrt(np.square(speech).mean() + 1e-12)), np.float32)


def _mels(samples: Samples) -> Floats:
    """float[frames, 40]: power in mel bands, as librosa makes them."""
    padded = np.pad(samples, _WINDOW // 2)
    frames = sliding_window_view(padded, _WINDOW)[::_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    power = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2
    return np.asarray(power @ spectra.mel_filters(_WINDOW, _BANDS, rate_hz=_RATE_HZ).T, np.float64)
