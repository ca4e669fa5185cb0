"""Read a model in ONNX Runtime's own format (`.ort`) back into an ONNX graph.

The format is a flatbuffer whose schema (`ort.fbs`) and generated readers ship inside onnxruntime for its tools.
"""

import sys
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnx import helper

_TOOLS = Path(onnxruntime.__file__).parent / "tools" / "ort_format_model"
if str(_TOOLS) not in sys.path:
    sys.path.append(str(_TOOLS))

from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession  # noqa: E402
from ort_flatbuffers_py.fbs.TensorTypeAndShape import TensorTypeAndShape  # noqa: E402

_KINDS = onnx.AttributeProto
_TENSOR_TYPE = 1
"""`tensor_type` of the union `TypeInfoValue`."""
_FIXED, _NAMED = 1, 2
"""`VALUE` and `PARAM` of the enum `DimensionValueType`."""


def read(path: Path) -> onnx.ModelProto:
    """The model in an `.ort` file as ONNX, with its nodes in an order that ONNX accepts."""
    stored = InferenceSession.GetRootAsInferenceSession(bytearray(path.read_bytes()), 0).Model()
    opsets = [helper.make_opsetid(_text(opset.Domain()), opset.Version()) for opset in _all(stored, "OpsetImport")]
    return helper.make_model(_graph(stored.Graph(), "main"), opset_imports=opsets, ir_version=stored.IrVersion())


def _graph(stored: Any, name: str) -> onnx.GraphProto:
    values = {_text(value.Name()): value for value in _all(stored, "NodeArgs")}
    constants = [_tensor(tensor) for tensor in _all(stored, "Initializers")]
    constant_names = {tensor.name for tensor in constants}
    inputs = [_text(stored.Inputs(i)) for i in range(stored.InputsLength())]
    outputs = [_text(stored.Outputs(i)) for i in range(stored.OutputsLength())]
    return helper.make_graph(
        _sorted_nodes(_all(stored, "Nodes")),
        name,
        [_value_info(values[value]) for value in inputs if value not in constant_names],
        [_value_info(values[value]) for value in outputs],
        initializer=constants,
    )


def _sorted_nodes(stored: list[Any]) -> list[onnx.NodeProto]:
    """Nodes so that each comes after those whose results it, or a subgraph of it, uses."""
    waiting = []
    for item in stored:
        node = _node(item)
        captured = [_text(item.ImplicitInputs(i)) for i in range(item.ImplicitInputsLength())]
        waiting.append((node, {*node.input, *captured} - {""}))
    missing = {result for node, _ in waiting for result in node.output}
    ordered: list[onnx.NodeProto] = []
    while waiting:
        ready = [(node, uses) for node, uses in waiting if not uses & missing]
        if not ready:
            raise ValueError("the graph has a cycle")
        waiting = [(node, uses) for node, uses in waiting if uses & missing]
        for node, _ in ready:
            ordered.append(node)
            missing.difference_update(node.output)
    return ordered


def _node(stored: Any) -> onnx.NodeProto:
    node = helper.make_node(
        _text(stored.OpType()),
        [_text(stored.Inputs(i)) for i in range(stored.InputsLength())],
        [_text(stored.Outputs(i)) for i in range(stored.OutputsLength())],
        name=_text(stored.Name()),
        domain=_text(stored.Domain()),
    )
    node.attribute.extend(_attribute(attribute) for attribute in _all(stored, "Attributes"))
    return node


def _attribute(stored: Any) -> onnx.AttributeProto:
    attribute = onnx.AttributeProto(name=_text(stored.Name()), type=stored.Type())
    match stored.Type():
        case _KINDS.FLOAT:
            attribute.f = stored.F()
        case _KINDS.INT:
            attribute.i = stored.I()
        case _KINDS.STRING:
            attribute.s = stored.S() or b""
        case _KINDS.TENSOR:
            attribute.t.CopyFrom(_tensor(stored.T()))
        case _KINDS.GRAPH:
            attribute.g.CopyFrom(_graph(stored.G(), attribute.name))
        case _KINDS.FLOATS:
            attribute.floats.extend(stored.Floats(i) for i in range(stored.FloatsLength()))
        case _KINDS.INTS:
            attribute.ints.extend(stored.Ints(i) for i in range(stored.IntsLength()))
        case _KINDS.STRINGS:
            attribute.strings.extend(stored.Strings(i) for i in range(stored.StringsLength()))
        case kind:
            raise ValueError(f"attribute {attribute.name} is of kind {kind}, which this reader does not know")
    return attribute


def _tensor(stored: Any) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=_text(stored.Name()), data_type=stored.DataType())
    tensor.dims.extend(stored.Dims(i) for i in range(stored.DimsLength()))
    if stored.StringDataLength():
        tensor.string_data.extend(stored.StringData(i) for i in range(stored.StringDataLength()))
    elif stored.RawDataLength():
        tensor.raw_data = stored.RawDataAsNumpy().tobytes()
    return tensor


def _value_info(stored: Any) -> onnx.ValueInfoProto:
    name, kind = _text(stored.Name()), stored.Type()
    if kind is None or kind.ValueType() != _TENSOR_TYPE:
        return onnx.ValueInfoProto(name=name)
    union = kind.Value()
    tensor = TensorTypeAndShape()
    tensor.Init(union.Bytes, union.Pos)
    shape = None if tensor.Shape() is None else [_dimension(dim.Value()) for dim in _all(tensor.Shape(), "Dim")]
    return helper.make_tensor_value_info(name, tensor.ElemType(), shape)


def _dimension(stored: Any) -> int | str | None:
    if stored is None:
        return None
    return {_FIXED: stored.DimValue(), _NAMED: _text(stored.DimParam())}.get(stored.DimType())


def _all(table: Any, field: str) -> list[Any]:
    """All entries of a flatbuffer vector."""
    return [getattr(table, field)(i) for i in range(getattr(table, f"{field}Length")())]


def _text(value: bytes | None) -> str:
    return value.decode() if value else ""
