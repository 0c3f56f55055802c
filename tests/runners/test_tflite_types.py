"""In which type an operation of a .tflite graph computes, from what an interpreter lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runners.failures import Unsupported
from runners.tflite_types import Graph, prove_graph, refuse_other_types


def operation(name: str, inputs: list[int], outputs: list[int]) -> dict[str, Any]:
    return {"op_name": name, "inputs": inputs, "outputs": outputs}


def graph(kinds: list[Any], *operations: dict[str, Any]) -> Graph:
    return Graph(list(operations), [{"index": i, "dtype": kind} for i, kind in enumerate(kinds)])


def test_full_int8_is_int8() -> None:
    kinds = [np.int8, np.int8, np.int32, np.int8, np.int8]
    found = prove_graph(
        graph(kinds, operation("CONV_2D", [0, 1, 2], [3]), operation("SOFTMAX", [3], [4])), "int8"
    )
    assert found.operations == {"int8": {"CONV_2D": 1, "SOFTMAX": 1}}
    assert (found.coverage, found.fallback) == (1.0, [])
    assert found.source == "tensor types of the TFLite graph"


def test_int8_weights_between_floats_are_hybrid_and_their_kernels_named() -> None:
    kinds = [np.float32, np.int8, np.float32, np.float32, np.float32, np.int8, np.float32]
    found = prove_graph(
        graph(
            kinds,
            operation("CONV_2D", [0, 1], [2]),
            operation("DEPTHWISE_CONV_2D", [2, 5], [3]),
            operation("FULLY_CONNECTED", [3, 4], [6]),
            operation("DELEGATE", [0, 1], [2]),
        ),
        "hybrid int8",
    )
    assert found.operations == {
        "hybrid int8": {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1}, "float32": {"FULLY_CONNECTED": 1},
    }  # fmt: skip
    assert found.coverage == pytest.approx(2 / 3)
    assert found.fallback == ["FULLY_CONNECTED x1 in float32"]
    assert found.source == (
        "tensor types of the TFLite graph; hybrid kernels quantize float32 activations at each "
        "call; XNNPACK executes 1 in hybrid int8; TFLite's own kernels execute 1 in hybrid int8, "
        "1 in float32"
    )


@pytest.mark.parametrize(("stored", "name"), [(np.float16, "float16"), (np.int8, "int8")])
def test_weights_that_are_made_float32_before_are_not_computed_with_as_stored(
    stored: Any, name: str
) -> None:
    kinds = [np.float32, stored, np.float32, np.float32]
    found = prove_graph(
        graph(
            kinds,
            operation("DEQUANTIZE", [1], [2]),
            operation("CONV_2D", [0, 2], [3]),
            operation("DELEGATE", [0, 1], [3]),
        ),
        name,
    )
    kind = f"float32 from {name} weights"
    assert found.coverage == 0.0 and found.operations[kind] == {"CONV_2D": 1}
    assert f"CONV_2D x1 in {kind}" in found.fallback
    assert f"weights in {name} are made float32 before the first call" in found.source
    assert f"XNNPACK executes 1 in {kind}" in found.source


def test_int16_activations_with_int8_weights_have_their_name() -> None:
    kinds = [np.int16, np.int8, np.int64, np.int16, np.int16]
    found = prove_graph(
        graph(kinds, operation("CONV_2D", [0, 1, 2], [3]), operation("ADD", [3, 3], [4])), "int16x8"
    )
    assert found.operations == {"int16x8": {"CONV_2D": 1}, "int16": {"ADD": 1}}
    assert (found.coverage, found.fallback) == (1.0, [])
    assert "TFLite's own kernels execute 1 in int16x8" in found.source


def test_a_transposed_convolution_has_its_images_last() -> None:
    kinds = [np.int32, np.int8, np.float32, np.float32]
    found = prove_graph(graph(kinds, operation("TRANSPOSE_CONV", [0, 1, 2], [3])), "hybrid int8")
    assert found.coverage == 1.0


def test_another_interpreter_says_itself_where_it_comes_from() -> None:
    kinds = [np.float32, np.int8, np.float32]
    found = prove_graph(graph(kinds, operation("CONV_2D", [0, 1], [2])), "int8", "all that ran")
    assert (found.coverage, found.source) == (0.0, "all that ran")
    assert found.fallback == ["CONV_2D x1 in hybrid int8"]


def test_a_graph_without_products_has_no_coverage() -> None:
    found = prove_graph(graph([np.int8, np.int8], operation("RELU", [0], [1])), "int8")
    assert found.coverage is None


@pytest.mark.parametrize("promised", ["int8", "hybrid int8", "int16x8", "float16"])
def test_a_float_file_is_refused_whatever_else_it_was_called(promised: str) -> None:
    kinds = [np.float32] * 3
    proof = prove_graph(graph(kinds, operation("CONV_2D", [0, 1], [2])), promised)
    with pytest.raises(Unsupported) as refused:
        refuse_other_types("model.tflite", proof)
    assert str(refused.value) == (
        f"model.tflite computes nothing in {promised}: its operations are in float32"
    )


def test_stored_float16_is_what_a_float16_file_promises() -> None:
    kinds = [np.float32, np.float16, np.float32, np.float32]
    made = graph(kinds, operation("DEQUANTIZE", [1], [2]), operation("CONV_2D", [0, 2], [3]))
    refuse_other_types("model.tflite", prove_graph(made, "float16"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(np.float32, "probabilities"), (np.int16, "probabilities"), (np.int8, "int8 probabilities")],
)
def test_a_softmax_answers_probabilities_whoever_executes_it(kind: Any, expected: str) -> None:
    softmax = operation("SOFTMAX", [0], [1])
    kinds = [kind, kind, np.float32]
    assert graph(kinds, softmax).answers(1) == expected
    # A delegate that took it is listed behind it, with the same result.
    assert graph(kinds, softmax, operation("DELEGATE", [0], [1])).answers(1) == expected
    # What only changes the type doesn't make its steps any finer.
    assert graph(kinds, softmax, operation("DEQUANTIZE", [1], [2])).answers(2) == expected


def test_other_answers_are_logits() -> None:
    made = graph([np.float32] * 3, operation("FULLY_CONNECTED", [0, 1], [2]))
    assert made.answers(2) == "logits" and made.answers(0) == "logits"
