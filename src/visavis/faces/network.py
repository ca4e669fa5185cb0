"""How the face networks are run: LiteRT on the calling thread."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Network:
    """A TFLite network with one input. Belongs to one thread at a time."""

    def __init__(self, flatbuffer: bytes) -> None:
        self._interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = [details["index"] for details in self._interpreter.get_output_details()]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the one input."""
        return tuple(int(side) for side in self._input["shape"])

    def __call__(self, values: Floats) -> Sequence[Floats]:
        """All outputs for one input, in the network's order."""
        self._interpreter.set_tensor(self._input["index"], values.reshape(self._input["shape"]))
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(index), np.float32) for index in self._outputs]
