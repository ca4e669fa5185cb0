"""End of turn by ear: smart-turn v3.2 (BSD-2), a Whisper-tiny encoder that judges the last 8 s of sound.

Measured on read speech (see the project's notes on models): with 200 ms of trailing silence it calls .84 of complete
utterances complete and .60-.68 of cut ones incomplete, so it is one opinion among others.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError, EngineError
from visavis.layers.turn.log_mel import log_mel
from visavis.models.inference import session

HEARD = 8 * LISTEN_RATE_HZ
"""Samples that the network judges by."""


class SmartTurn:
    """Judges by sound alone; one instance serves all calls of a process.

    It has one thread, so that looks of several calls queue up instead of taking all cores; a look takes some 90 ms.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Load from `folder`, by default that of `visavis.models`. Raises `visavis.models.ModelMissingError`."""
        self._session = session((folder or models.path("smart-turn-v3.2")) / "smart-turn-v3.2-cpu.onnx")
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="smart-turn")

    async def probability(self, speech: Samples) -> float:
        """Probability that the turn ending with `speech` (float32[N], 16 kHz, ends in some silence) is complete.

        Raises `visavis.errors.EngineError`.
        """
        if speech.ndim != 1 or not len(speech):
            raise BadInputError("speech", speech.shape, "one channel of at least one sample")
        heard = speech[-HEARD:].astype(np.float32)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._judge, heard)
        except RuntimeError as error:
            raise EngineError("end of turn", str(error)) from error

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _judge(self, heard: Samples) -> float:
        features = log_mel(np.pad(heard, (HEARD - len(heard), 0)))
        return float(self._session.run(None, {"input_features": features[None]})[0][0, 0])
