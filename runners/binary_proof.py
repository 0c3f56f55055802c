"""The proof of a binary or ternary network: every product that its topology says is of few bits."""

from __future__ import annotations

from typing import Sequence

from runners.binary_values import FLOAT32
from runners.failures import Unsupported
from runners.job import Job
from runners.models.bnn_pynq import BinaryNetwork
from runners.precision_proof import Operation, record_proof

_SHOWN = 5


def prove_products(
    job: Job, network: BinaryNetwork, promised: str, operations: Sequence[Operation], source: str
) -> None:
    """Record the proof. Raises Unsupported where fewer products than the topology has were what
    the technique promises, so that nothing is tested or timed under its name.
    """
    record_proof(job, promised, operations, source)
    wanted = len(network.products) if promised == FLOAT32 else network.few_bit_products
    found = sum(one.times for one in operations if one.kind == promised)
    if found >= wanted:
        return
    fallback = job.proof.fallback[:_SHOWN] if job.proof is not None else []
    seen = "; ".join(fallback) or "nothing else was seen"
    raise Unsupported(
        f"the proof failed: {found} of the {wanted} products that have to be {promised} in "
        f"{network.name} are: {seen}"
    )
