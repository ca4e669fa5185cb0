"""How networks are run: ONNX Runtime on one thread, because in a call every core has other work."""

from pathlib import Path

import onnxruntime


def session(path: Path) -> onnxruntime.InferenceSession:
    """Open a network (`.onnx` or `.ort`). It computes on the calling thread only and without the GIL.

    Two spinning threads were slower than one in all measurements on two shared cores.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
