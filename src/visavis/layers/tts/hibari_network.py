"""hibari's network: phonemes to sound, and when each phoneme sounds."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from hibari import dsp
from hibari.tts import ASSETS
from numpy.typing import NDArray

from visavis.audio import Samples
from visavis.errors import EngineError

SAMPLE_RATE_HZ = 24_000
HEART = Path(ASSETS) / "hibari.onnx"
HEART_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
"""The voice in the `hibari-tts` 0.2.1 wheel; the tensor below is known to hold durations in this graph only."""

_DURATIONS = "/Cast_32_output_0"
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
    """

    samples: Samples
    starts_s: NDArray[np.float64]


class HibariNetwork:
    """One voice. Runs on one thread; loading takes 0.3 s.

    Raises `visavis.errors.EngineError` when the file is missing or is not the one that `sha256` names.
    """

    def __init__(self, graph: Path = HEART, sha256: str = HEART_SHA256) -> None:
        self._token = json.loads((Path(ASSETS) / "vocab.json").read_text(encoding="utf-8"))
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = _with_output(_read(graph, sha256), _DURATIONS)
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters that may stand in a phoneme string."""
        return frozenset(self._token)

    def speak(self, phonemes: str) -> Utterance:
        """Sound of a phoneme string of at least one character, all from `alphabet`."""
        pad = 0
        tokens = np.array([[pad, *(self._token[c] for c in phonemes), pad]], np.int64)
        *spectrum, durations = self._session.run(None, {"ids": tokens, "speed": np.ones(1, np.float32)})
        samples = dsp.synth(*(part[0] for part in spectrum), np.random.default_rng(_NOISE_SEED))
        ends_s = np.cumsum(durations) * (_SAMPLES_PER_UNIT / SAMPLE_RATE_HZ)
        return Utterance(samples, np.maximum(ends_s[:-1] - _SOUNDS_EARLIER_S, 0.0))


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


def _with_output(model: bytes, tensor: str) -> bytes:
    """The serialised ONNX model with one more output.

    Protocol Buffers merge a message that occurs twice, so the output is appended as
    `ModelProto(graph=GraphProto(output=[ValueInfoProto(name=tensor)]))` without parsing eight megabytes.
    Field numbers: onnx.proto3; encoding: protobuf.dev/programming-guides/encoding.
    """
    graph_field, output_field, name_field = 7, 12, 1
    message = tensor.encode()
    for number in (name_field, output_field, graph_field):
        message = bytes([number << 3 | 2, len(message)]) + message
    return model + message
