"""Which metrics a cell doesn't take by its recipe, so that another cell of its point has them."""

from __future__ import annotations

import pytest

from manifests.metrics import left_out


@pytest.mark.parametrize("name", ["accuracy", "top5_accuracy", "agreement", "kl_nats", "sqnr_db"])
def test_what_rests_on_test_images_is_left_out_where_none_are_tested(name: str) -> None:
    assert left_out(name, {"evaluate": False})
    assert not left_out(name, {"evaluate": True})
    assert not left_out(name, {})


def test_what_is_timed_or_saved_does_not_depend_on_testing() -> None:
    assert not left_out("latency_s", {"evaluate": False})
    assert not left_out("model_size_bytes", {"evaluate": False})
    assert left_out("model_size_bytes", {"keep_weights": False})
