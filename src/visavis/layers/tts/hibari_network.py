"""hibari's network: phonemes to sound, and when each phoneme sounds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from hibari import dsp
from hibari.tts import ASSETS
from numpy.typing import NDArray
from onnx import TensorProto

from visavis.audio import Samples
from visavis.errors import EngineError
from visavis.layers.tts.hibari_weights import Floats, Graph
from visavis.layers.tts.manner import PLAIN, Manner

SAMPLE_RATE_HZ = 24_000
HEART = Path(ASSETS) / "hibari.onnx"
HEART_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
"""The voice in the `hibari-tts` 0.2.1 wheel; the tensors below are known in this graph only."""

_DURATIONS, _PITCH, _ENERGY = "/Cast_32_output_0", "f0", "/Mul_62_output_0"
_SPECTRA = ("lh", "theta", "ln", "lr", "phi")
_SAMPLES_PER_UNIT = 600
"""One unit of duration is two spectrum frames of 12.5 ms at 24 kHz."""

_SOUNDS_EARLIER_S = 0.055
"""How much earlier a phoneme is heard than the durations say. Found by shifting the durations against the sound
of twelve sentences: sibilants have most treble at 50 ms, vowels and nasals are loudest at 55-60 ms, stops
quietest at 60 ms, p and b at 70 ms."""

_NOISE_SEED = 0
"""The same text always sounds the same."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Sound of a phoneme string, with silence at both ends, as the network gives it.

    `starts_s` float64[len(phonemes) + 1]: when each phoneme begins, and when the last one ends; seconds.
    `units` int64[tokens]: how long each token lasts by the network's count, 25 ms each.
    """

    samples: Samples
    starts_s: NDArray[np.float64]
    units: NDArray[np.int64]


class HibariNetwork:
    """One voice. Runs on one thread; loading takes 0.4 s.

    `weights` are another voice's, by name. Raises `visavis.errors.EngineError` when the file is missing or is not the
    one that `sha256` names.
    """

    def __init__(
        self, graph: Path = HEART, sha256: str = HEART_SHA256, weights: Mapping[str, Floats] | None = None
    ) -> None:
        self._token = json.loads((Path(ASSETS) / "vocab.json").read_text(encoding="utf-8"))
        parsed = Graph(_read(graph, sha256))
        if weights:
            parsed.replace(weights)
        ids, shaped = {"ids": TensorProto.INT64}, {_PITCH: TensorProto.FLOAT, _ENERGY: TensorProto.FLOAT}
        timed = {_DURATIONS: TensorProto.INT64}
        self._prosody = _session(parsed.part(ids | {"speed": TensorProto.FLOAT}, timed | shaped))
        self._spectra = _session(parsed.part(ids | timed | shaped, dict.fromkeys(_SPECTRA, TensorProto.FLOAT)))

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters that may stand in a phoneme string."""
        return frozenset(self._token)

    def tokens(self, phonemes: str) -> NDArray[np.int64]:
        """What the network reads: the phonemes' numbers between two paddings."""
        pad = 0
        return np.array([pad, *(self._token[c] for c in phonemes), pad], np.int64)

    def speak(self, phonemes: str, manner: Manner = PLAIN) -> Utterance:
        """Sound of a phoneme string of at least one character, all from `alphabet`."""
        return self.speak_tokens(self.tokens(phonemes), manner)

    def speak_tokens(self, tokens: NDArray[np.int64], manner: Manner = PLAIN) -> Utterance:
        """Sound of tokens, see `tokens`."""
        durations, pitch, energy = self._planned(tokens, manner)
        inputs = {"ids": tokens[None], _DURATIONS: durations, _PITCH: pitch, _ENERGY: energy}
        spectra = (part[0] for part in self._spectra.run(list(_SPECTRA), inputs))
        samples = dsp.synth(*manner.colour(spectra), manner.tune(pitch[0]), np.random.default_rng(_NOISE_SEED))
        units = durations.ravel()
        ends_s = np.cumsum(units) * (_SAMPLES_PER_UNIT / SAMPLE_RATE_HZ)
        return Utterance(samples, np.maximum(ends_s[:-1] - _SOUNDS_EARLIER_S, 0.0), units)

    def plan(self, tokens: NDArray[np.int64], manner: Manner = PLAIN) -> tuple[NDArray[np.int64], Floats]:
        """Only how long each token would last (25 ms), and the pitch of every frame (12.5 ms; below 40 unvoiced)."""
        durations, pitch, _ = self._planned(tokens, manner)
        return durations.ravel(), manner.tune(pitch[0])

    def _planned(self, tokens: NDArray[np.int64], manner: Manner) -> tuple[NDArray[np.int64], Floats, Floats]:
        inputs = {"ids": tokens[None], "speed": np.array([manner.speed], np.float32)}
        durations, pitch, energy = self._prosody.run([_DURATIONS, _PITCH, _ENERGY], inputs)
        return durations, *manner.shape(pitch, energy)


def _session(model: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def read_graph(graph: Path = HEART, sha256: str = HEART_SHA256) -> bytes:
    """The graph's file. Raises `visavis.errors.EngineError` when it is missing or another than expected."""
    return _read(graph, sha256)


def _read(graph: Path, sha256: str) -> bytes:
    try:
        model = graph.read_bytes()
    except OSError as error:
        raise EngineError("voice", f"cannot read {graph}: {error.strerror}; reinstall hibari-tts==0.2.1") from error
    found = hashlib.sha256(model).hexdigest()
    if found != sha256:
        raise EngineError(
            "voice",
            f"{graph} is not the voice that was expected (sha256 {found[:12]}..., expected {sha256[:12]}...), so its "
            "word and mouth timings cannot be trusted; reinstall hibari-tts==0.2.1",
        )
    return model
