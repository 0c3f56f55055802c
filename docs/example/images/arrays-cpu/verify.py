"""Proves that this environment can do what its cells need: each function is a check."""


def arrays_can_be_multiplied() -> str:
    import numpy as np

    assert (np.ones((2, 3)) @ np.ones((3, 2)) == 3).all()
    return f"numpy {np.__version__}"
