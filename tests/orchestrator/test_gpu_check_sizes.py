"""The batch that runs out: arithmetic with 81.8 MB an image, on the GPUs there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.gpu_check.sizes import LARGEST_BATCH, batch_beyond, runs_out, saved_bytes

GIB = 2**30


@pytest.mark.parametrize(
    ("gpu", "memory_bytes", "batch", "saved_gb"),
    [
        ("T4, 15 GiB", 15 * GIB, 300, 24.54),
        ("L4, 22 GiB", 22 * GIB, 400, 32.72),
        ("A100, 40 GiB", 40 * GIB, 700, 57.26),
        ("H100, 79.6 GiB", 85_520_809_984, 1400, 114.52),
        ("H200, 139 GiB", 139 * GIB, 2300, 188.14),
        ("B200, 178 GiB", 178 * GIB, 2600, 212.68),
    ],
)
def test_float32_does_not_fit_and_half_of_it_does(
    gpu: str, memory_bytes: int, batch: int, saved_gb: float
) -> None:
    assert batch_beyond(memory_bytes) == batch
    assert saved_bytes(batch) / 1e9 == pytest.approx(saved_gb)
    assert runs_out(batch, memory_bytes)
    assert saved_bytes(batch) / 2 < 0.85 * memory_bytes


def test_1400_images_do_not_run_out_on_an_h200() -> None:
    assert not runs_out(1400, 139 * GIB)


def test_beyond_what_indices_reach_it_is_not_known() -> None:
    assert LARGEST_BATCH == 2600 and 2600 * 64 * 112 * 112 < 2**31 < 2700 * 64 * 112 * 112
    assert batch_beyond(288 * 10**9) == 2600
    assert not runs_out(2600, 288 * 10**9)
    assert batch_beyond(None) == 2600 and not runs_out(2600, None)


@given(st.integers(2**30, 190 * 10**9))
def test_every_memory_up_to_190_gb_is_run_out_of(memory_bytes: int) -> None:
    batch = batch_beyond(memory_bytes)
    assert runs_out(batch, memory_bytes) and batch % 100 == 0 and batch <= LARGEST_BATCH
