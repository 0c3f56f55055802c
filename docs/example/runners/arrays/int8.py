"""Nearest class mean with means and images in 8 bits, symmetric, one scale for all classes.

stripes2026, section 3. Sums are 32 bits wide. Timed region: rounding a batch in place, and the
products.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runners.arrays.parts.means import session, trained
from runners.inference import evaluate, infer_recipe, time_inference
from runners.job import Job


def infer(job: Job) -> None:
    with job.phase("build"):
        means = quantized(trained(job)).astype(np.int32)
    made = session(lambda batch: quantized(batch).astype(np.int32) @ means.T)
    tested = infer_recipe(job).test_images
    if tested is not None:
        evaluate(job, made, tested, job.cell.batch_size)
    time_inference(job, made)


def quantized(values: Any) -> Any:
    """int8; the largest magnitude becomes 127."""
    return np.rint(values * (127 / np.abs(values).max())).astype(np.int8)
