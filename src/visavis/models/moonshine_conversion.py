"""Moonshine base as it ships -> three int8 graphs that write the same texts some six times faster.

Run as `python -m visavis.models.moonshine_conversion SOURCE TARGET`; about 20 s on one core.

The shipped decoder keeps its weights as int8 but turns them back into floats at every step, and holds two networks
under one `If`: one for the first step, which also computes the keys and values of cross-attention, and one for all
further steps. Here the weights become floats once and are then quantised for integer matrix products
(dynamic quantisation, signed int8, one scale per channel), and the two networks are cut apart:

    encoder.onnx    input_values [1, samples]  -> last_hidden_state [1, T, 416]
    cross_kv.onnx   encoder_hidden_states      -> present.L.encoder.{key,value} [1, 8, T, 52] of every layer L
    step.onnx       input_ids [1, 1], past_key_values.* -> logits, present.L.decoder.{key,value}

The further-steps network also works for the first step, with empty past keys and values of self-attention.
"""

import copy
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from visavis.models import ort_format

HEADS, HEAD_SIZE = 8, 52
"""Attention heads of Moonshine base, and the width of each."""


def convert(source: Path, target: Path) -> None:
    """Write the three graphs into the folder `target`, from the two `.ort` files in `source`."""
    _quantise(ort_format.read(source / "encoder_model.ort"), target / "encoder.onnx", ["MatMul"])
    decoder = ort_format.read(source / "decoder_model_merged.ort")
    _quantise(_cross_attention_network(decoder), target / "cross_kv.onnx", ["MatMul"])
    _quantise(_step_network(decoder), target / "step.onnx", ["MatMul", "Gather"])


def _step_network(decoder: onnx.ModelProto) -> onnx.ModelProto:
    graph = _branch(decoder.graph, "then_branch")
    return _only(decoder, graph, lambda name: name == "logits" or ".decoder." in name)


def _cross_attention_network(decoder: onnx.ModelProto) -> onnx.ModelProto:
    graph = _branch(decoder.graph, "else_branch")
    shape = numpy_helper.from_array(np.array([0, -1, HEADS, HEAD_SIZE], np.int64), "cross_attention_shape")
    graph.initializer.append(shape)
    producers = {result: node for node in graph.node for result in node.output}
    for output in graph.output:
        if ".encoder." not in output.name:
            continue
        node = producers[output.name]
        while node.op_type != "Reshape":
            node = producers[node.input[0]]
        node.input[1] = shape.name  # it was computed from the decoder's input, which is not there yet
    return _only(decoder, graph, lambda name: ".encoder." in name)


def _branch(graph: onnx.GraphProto, name: str) -> onnx.GraphProto:
    """The graph with its `If` replaced by the nodes of one branch."""
    choice = next(node for node in graph.node if node.op_type == "If")
    branch = next(attribute.g for attribute in choice.attribute if attribute.name == name)
    public = {inner.name: outer for inner, outer in zip(branch.output, choice.output, strict=True)}
    nodes = [copy.deepcopy(node) for node in (*(node for node in graph.node if node is not choice), *branch.node)]
    for node in nodes:
        for values in (node.input, node.output):
            values[:] = [public.get(value, value) for value in values]
    return helper.make_graph(
        nodes, name, graph.input, graph.output, initializer=[*graph.initializer, *branch.initializer]
    )


def _only(model: onnx.ModelProto, graph: onnx.GraphProto, wanted: Callable[[str], bool]) -> onnx.ModelProto:
    """The part of `graph` that computes the outputs whose names are `wanted`."""
    outputs = [output for output in graph.output if wanted(output.name)]
    nodes, used = _ancestors(graph.node, (output.name for output in outputs))
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    constant_names = {tensor.name for tensor in constants}
    inputs = [value for value in graph.input if value.name in used and value.name not in constant_names]
    part = helper.make_graph(nodes, graph.name, inputs, outputs, initializer=constants)
    opsets = [opset for opset in model.opset_import if opset.domain in ("", "com.microsoft")]
    return helper.make_model(part, opset_imports=opsets, ir_version=model.ir_version)


def _ancestors(nodes: Iterable[onnx.NodeProto], results: Iterable[str]) -> tuple[list[onnx.NodeProto], set[str]]:
    """The nodes that `results` depend on, in their order, and the names of all values that these use."""
    used, needed = set(results), []
    for node in reversed(list(nodes)):
        if used.intersection(node.output):
            needed.append(node)
            used.update(node.input)
    return needed[::-1], used


def _quantise(model: onnx.ModelProto, target: Path, operators: list[str]) -> None:
    """Fold the weights to floats, quantise the weights of `operators`, fuse what can be fused, write to `target`."""
    levels = onnxruntime.GraphOptimizationLevel
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        written, folded, quantised = (Path(folder) / f"{stage}.onnx" for stage in ("written", "folded", "quantised"))
        onnx.save(model, str(written))
        _optimise(written, folded, levels.ORT_ENABLE_BASIC)
        quantize_dynamic(
            folded,
            quantised,
            op_types_to_quantize=operators,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        _optimise(quantised, target, levels.ORT_ENABLE_EXTENDED)


def _optimise(source: Path, target: Path, level: onnxruntime.GraphOptimizationLevel) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(target)
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
