"""Voice activity by Silero VAD (MIT): a small recurrent network over frames of 32 ms."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError
from visavis.layers.turn import VAD_FRAME
from visavis.models.inference import session

CONTEXT = 64
"""Samples of the frame before that the network wants to see again, as in the project's own wrapper."""


class Silero:
    """The network; one instance serves all calls of a process, `listen` begins a stream."""

    def __init__(self, folder: Path | None = None) -> None:
        """Load from `folder`, by default that of `visavis.models`. Raises `visavis.models.ModelMissingError`."""
        self._session = session((folder or models.path("silero-vad")) / "silero_vad.onnx")

    def listen(self) -> "SileroStream":
        """Voice activity of a new stream of sound."""
        return SileroStream(self._session)


class SileroStream:
    """Voice activity of one stream; see `visavis.layers.turn.VoiceActivity`. Half a millisecond a frame."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._rate = np.array(LISTEN_RATE_HZ, np.int64)
        self._state = _silent_state()
        self._context: Samples = np.zeros(CONTEXT, np.float32)

    def probability(self, frame: Samples) -> float:
        """Probability that `frame` (float32[512], 16 kHz) contains speech."""
        if frame.shape != (VAD_FRAME,):
            raise BadInputError("frame", frame.shape, f"the shape ({VAD_FRAME},)")
        sound = np.concatenate([self._context, frame.astype(np.float32, copy=False)])
        inputs = {"input": sound[None], "state": self._state, "sr": self._rate}
        probability, self._state = self._network.run(None, inputs)
        self._context = sound[-CONTEXT:]
        return float(probability[0, 0])

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._state = _silent_state()
        self._context = np.zeros(CONTEXT, np.float32)


def _silent_state() -> NDArray[np.float32]:
    return np.zeros((2, 1, 128), np.float32)
