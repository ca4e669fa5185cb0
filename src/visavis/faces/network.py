"""How the face networks are run: LiteRT on the calling thread."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Network:
    """A TFLite network. Belongs to one thread at a time."""

    def __init__(self, flatbuffer: bytes) -> None:
        self._interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = [details["index"] for details in self._interpreter.get_output_details()]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the first input."""
        return tuple(int(side) for side in self._inputs[0]["shape"])

    def __call__(self, *values: NDArray[np.float32] | NDArray[np.uint8]) -> Sequence[Floats]:
        """All outputs for all inputs, each in the network's order."""
        for details, value in zip(self._inputs, values, strict=True):
            self._interpreter.set_tensor(details["index"], value.reshape(details["shape"]))
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(index), np.float32) for index in self._outputs]
