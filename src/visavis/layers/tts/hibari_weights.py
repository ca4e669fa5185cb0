"""The weights inside hibari's graph, by name, and graphs with other weights: one network, many voices."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Quantised:
    """A matrix that the graph holds as 8-bit integers: `weight`'s name, and the initialisers that make it up."""

    name: str
    values: str
    scale: str
    zero_point: str


class Graph:
    """hibari's graph, parsed. Weights are named as in the network's source: `m.dec.0.pw1.weight` and so on."""

    def __init__(self, model: bytes) -> None:
        self._model = onnx.load_model_from_string(model)
        self._initialisers = {one.name: one for one in self._model.graph.initializer}
        self._quantised = tuple(_quantised_matrices(self._model.graph, self._initialisers))

    def weights(self) -> dict[str, Floats]:
        """Every trained weight as float32; matrices as [outputs, inputs]."""
        found = {
            name: numpy_helper.to_array(one).astype(np.float32)
            for name, one in self._initialisers.items()
            if name.startswith(("m.", "pn."))
        }
        for matrix in self._quantised:
            values = self._array(matrix.values).astype(np.float32) - self._array(matrix.zero_point).astype(np.float32)
            found[matrix.name] = np.ascontiguousarray((values * np.float32(self._array(matrix.scale).item())).T)
        return dict(sorted(found.items()))

    def steps(self) -> dict[str, float]:
        """The step between two values of each quantised matrix."""
        return {matrix.name: float(self._array(matrix.scale).item()) for matrix in self._quantised}

    def replace(self, weights: Mapping[str, Floats]) -> None:
        """Set weights. Matrices are quantised anew, so they keep 8 bits whatever their range is."""
        quantised = {matrix.name: matrix for matrix in self._quantised}
        for name, value in weights.items():
            if name in quantised:
                self._quantise(quantised[name], value.T)
            else:
                self._set(name, value)

    def part(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> bytes:
        """The serialised part of the graph that computes `outputs` from `inputs` (names, and ONNX element types)."""
        makers = {output: node for node in self._model.graph.node for output in node.output}
        needed, waiting = set[str](), list(outputs)
        while waiting:
            tensor = waiting.pop()
            if tensor in inputs or tensor not in makers or makers[tensor].output[0] in needed:
                continue
            needed.add(makers[tensor].output[0])
            waiting += makers[tensor].input
        nodes = [node for node in self._model.graph.node if node.output[0] in needed]
        used = {name for node in nodes for name in node.input}
        graph = onnx.helper.make_graph(
            nodes,
            "part",
            [onnx.helper.make_tensor_value_info(name, kind, None) for name, kind in inputs.items() if name in used],
            [onnx.helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()],
            [one for name, one in self._initialisers.items() if name in used],
        )
        model = onnx.helper.make_model(graph, opset_imports=self._model.opset_import)
        model.ir_version = self._model.ir_version
        return bytes(model.SerializeToString())

    def _array(self, name: str) -> NDArray[np.generic]:
        return np.asarray(numpy_helper.to_array(self._initialisers[name]))

    def _set(self, name: str, value: NDArray[np.generic]) -> None:
        before = self._array(name)
        shaped = np.ascontiguousarray(value.astype(before.dtype).reshape(before.shape))
        self._initialisers[name].CopyFrom(numpy_helper.from_array(shaped, name))

    def _quantise(self, matrix: _Quantised, value: Floats) -> None:
        if self._array(matrix.values).dtype == np.int8:
            scale, zero, low, high = float(np.abs(value).max()) / 127, 0, -127, 127
        else:
            bottom, top = min(float(value.min()), 0.0), max(float(value.max()), 0.0)
            scale, low, high = (top - bottom) / 255, 0, 255
            zero = round(-bottom / (scale or 1.0))
        scale = scale or 1.0
        self._set(matrix.values, np.clip(np.rint(value / scale) + zero, low, high))
        self._set(matrix.scale, np.float32(scale).reshape(1))
        self._set(matrix.zero_point, np.array([zero]))


def _quantised_matrices(graph: onnx.GraphProto, initialisers: Mapping[str, object]) -> Iterator[_Quantised]:
    """Each product of integers is followed by the addition of a bias, and the bias has kept its name."""
    makers = {output: node for node in graph.node for output in node.output}
    seen: set[str] = set()
    for node in graph.node:
        biases = [one for one in node.input if one in initialisers and one.endswith("bias")]
        if node.op_type != "Add" or not biases:
            continue
        scaled = makers.get(next(one for one in node.input if one not in biases))
        if scaled is None or scaled.op_type != "Mul":
            continue
        for source in scaled.input:
            cast = makers.get(source)
            product = makers.get(cast.input[0]) if cast is not None and cast.op_type == "Cast" else None
            if product is None or product.op_type != "MatMulInteger":
                continue
            base = product.input[1].removesuffix("_quantized")
            if base not in seen:
                seen.add(base)
                yield _Quantised(_weight_of(biases[0]), f"{base}_quantized", f"{base}_scale", f"{base}_zero_point")


def _weight_of(bias: str) -> str:
    if bias.endswith("in_proj_bias"):
        return bias.replace("in_proj_bias", "in_proj_weight")
    return bias.removesuffix("bias") + "weight"
