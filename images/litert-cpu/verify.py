"""Proves that this environment can do what the studies need: each function is a check."""


def litert_can_be_imported() -> str:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    assert Interpreter and OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return "LiteRT's interpreter"


def its_quantizer_has_the_recipes() -> str:
    from ai_edge_quantizer import quantizer, recipe

    assert quantizer.Quantizer and recipe.dynamic_wi8_afp32()
    (static,) = recipe.static_wi8_ai8()
    weights = static["op_config"]["weight_tensor_config"]
    assert weights["num_bits"] == 8, weights
    return "ai-edge-quantizer quantizes to int8, statically and dynamically"


def arrays_can_be_multiplied() -> str:
    import numpy as np

    assert (np.ones((2, 3)) @ np.ones((3, 2)) == 3).all()
    return f"numpy {np.__version__}"
