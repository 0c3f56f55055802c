"""A float model of numpy, really evaluated, and cells that start from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.codec import write_manifest
from manifests.manifest import Inputs, Manifest, Proof
from runners.data import Data
from runners.inference import Session, evaluate
from runners.job import Job
from runners.starting_weights import Weights
from tests.manifests.samples import a_manifest
from tests.runners.samples import SIZE, a_job, a_pack

CLASSES = 10
Weighted = NDArray[np.float64]


def weights(seed: int = 0) -> Weighted:
    return np.random.default_rng(seed).normal(0, 0.05, size=(SIZE * SIZE * 3, CLASSES))


def linear(matrix: Weighted, **changes: Any) -> Session:
    """Logits are a product; ``changes`` are of the session."""

    def call(images: NDArray[np.float32]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = images.reshape(len(images), -1) @ matrix
        return found

    made = Session(lambda images: images, call, lambda logits: logits.argmax(1))
    return made._replace(**changes)


def leave_a_model(job: Job) -> None:
    """Only a cell that leaves one keeps its answers."""
    (job.folder / "weights").write_bytes(b"of no use here")
    job.artifact("weights", "weights")


class Family:
    """A float parent, really evaluated, and its children."""

    def __init__(self, folder: Path, limit: int = 0, proof: str = "float32", **cell: Any) -> None:
        self.data = a_pack(folder)
        self.folder = folder / "parent"
        self.folder.mkdir()
        job = a_job(self.folder, self.data, **cell)
        leave_a_model(job)
        evaluate(job, linear(weights()), limit, 5)
        self.manifest = self._seal(job, proof)

    def _seal(self, job: Job, proof: str) -> Manifest:
        made: Manifest = a_manifest(
            cell=job.cell,
            id=job.cell.id,
            artifacts=job.artifacts,
            proof=Proof(promised=proof, operations={}, coverage=1.0, fallback=[], source=""),
            inputs=Inputs(dataset=self.data.meta),
            fidelity=None,
        )
        write_manifest(self.folder / "manifest.json", made)
        return made

    def child(self, name: str = "child", **cell: Any) -> Job:
        folder = self.folder.parent / name
        folder.mkdir()
        fields = {"task": "quantize", "technique": "ptq", "weights_from": self.manifest.id, **cell}
        job = a_job(folder, Data(self.data.folder), **fields)
        job._weights = Weights(self.folder)
        return job


def samples(job: Job) -> dict[tuple[str, str], Any]:
    return {(m.name, m.label): m.samples[0] for m in job.metrics}


def softmax(logits: Any) -> Any:
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)
