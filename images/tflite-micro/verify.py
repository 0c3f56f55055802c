"""Proves that this environment can do what the studies need: each function is a check."""

from typing import Any


def _content(data: bytes) -> Any:
    """A model of one operation, RELU on int8, written with the package's own schema."""
    import flatbuffers
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    code.version = 1
    model.operatorCodes = [code]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(schema, name) for name in ("before", "after")]
    operation = schema.OperatorT()
    operation.inputs, operation.outputs = [0], [1]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operation]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), data)
    return bytes(builder.Output())


def _tensor(schema: Any, name: str) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [1, 4], schema.TensorType.INT8, 0
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5], [0]
    return tensor


def int8_runs_in_the_interpreter_for_microcontrollers() -> str:
    import numpy as np
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(_content(b"TFL3"), arena_size=65536)
    interpreter.set_input(np.array([[-3, 0, 5, 127]], np.int8), 0)
    interpreter.invoke()
    assert interpreter.get_output(0).tolist() == [[0, 0, 5, 127]]
    return "TensorFlow Lite Micro computes int8"


def litert_computes_the_same() -> str:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    for kernels in (OpResolverType.BUILTIN_REF, OpResolverType.AUTO):
        interpreter = Interpreter(
            model_content=_content(b"TFL3"), num_threads=1, experimental_op_resolver_type=kernels
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(0, np.array([[-3, 0, 5, 127]], np.int8))
        interpreter.invoke()
        assert interpreter.get_tensor(1).tolist() == [[0, 0, 5, 127]]
    return "LiteRT's kernels are there to be compared with"


def a_foreign_file_is_refused() -> str:
    from ai_edge_litert.interpreter import Interpreter

    try:
        Interpreter(model_content=_content(b"ABCD"))
    except ValueError:
        return "a file of another format is refused"
    raise AssertionError("a file of another format was opened")
