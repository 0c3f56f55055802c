"""Calibration by ONNX Runtime's own calibrators, apart from the conversion that uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, Optional

from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

from runners.data import batches
from runners.job import Job
from runners.model_file import in_layout

METHODS = {
    "": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}
"""By the variant of a technique."""


class Batch(CalibrationDataReader):  # type: ignore[misc]
    """One batch of inputs: a calibrator keeps all that a reader gives it until it has ended."""

    def __init__(self, inputs: Dict[str, Any]) -> None:
        self._left: Iterator[Dict[str, Any]] = iter([inputs])

    def get_next(self) -> Optional[Dict[str, Any]]:
        """The next inputs, None when there are no more."""
        return next(self._left, None)


def calibrate(job: Job, model: Path, images: int, ranges: Path) -> None:
    """Leave in ``ranges`` what training images make of the tensors of ``model``.

    Records ``calibration_s``: running them batch by batch, and finding the ranges.
    """
    part = job.data.calibration(images, job.cell.seed)
    with job.phase("build"):
        calibrator = create_calibrator(
            model,
            augmented_model_path=str(ranges.with_suffix(".onnx")),
            calibrate_method=METHODS[job.cell.variant],
        )
    entry = calibrator.infer_session.get_inputs()[0]
    with job.phase("calibrate"):
        for done, batch in enumerate(batches(job.data, part, job.cell.batch_size)):
            placed = in_layout(batch.images, entry.shape)
            calibrator.collect_data(Batch({entry.name: placed}))
            shown = min((done + 1) * job.cell.batch_size, len(part.labels))
            job.events.step(shown, len(part.labels))
        found = calibrator.compute_data()
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(part.labels))
    save_tensors_data(found, ranges)
