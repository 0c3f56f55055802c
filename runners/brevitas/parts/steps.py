"""The steps of what starts from a trained network: export, execution in QONNX, timing."""

from __future__ import annotations

from typing import Dict, List, Tuple

import msgspec

from manifests.manifest import Flag
from runners.binary_proof import prove_products
from runners.binary_values import product_kind
from runners.brevitas.parts.bit_exactness import qonnx_session, show_bit_exact
from runners.brevitas.parts.network import FLOAT, Network, load_arrays
from runners.brevitas.parts.qonnx_files import QONNX_FILE, Executed, QonnxModel, write_qonnx
from runners.brevitas.parts.sessions import begin, described_network, place, session
from runners.brevitas.parts.training import PROMISED, prove
from runners.inference import QuantizeRecipe, evaluate, infer_recipe, time_inference
from runners.job import Job
from runners.precision_proof import Operation
from runners.trained_parity import show_same_network

SIMULATED = "qonnx computes with weights and activations of few bits in float32"
UNTIMED = (
    "qonnx executes a network node by node, quantizers in Python, to show what it computes: its "
    "time says nothing of a binary network"
)


def trained_network(job: Job, scheme: str) -> Network:
    """The network with the neutral weights of the cell that this one starts from."""
    model = Network(described_network(job), scheme)
    load_arrays(model, job.weights.arrays())
    model.eval()
    return model


def time_network(job: Job) -> None:
    """Proof, latency, end-to-end time and accuracy of the float32 network, in eager mode."""
    begin(job)
    with job.phase("build"):
        model = trained_network(job, FLOAT)
    ready = session(model)
    prove(job, model, FLOAT)
    time_inference(job, ready)
    tested = infer_recipe(job).test_images
    if tested is not None:
        evaluate(job, ready, tested, job.cell.batch_size)


def export_network(job: Job, scheme: str) -> None:
    """Write the QONNX file, execute it on the test images, and hold every number inside of it
    against Brevitas' own. Raises Unsupported where one differs.
    """
    begin(job)
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = trained_network(job, scheme)
    show_same_network(job, session(model))
    path = job.folder / QONNX_FILE
    with job.phase("convert"):
        write_qonnx(model, job.cell.batch_size, path)
    job.record("convert_s", [job.last_phase_s("convert")], source="writing the QONNX file")
    record_size(job, model, scheme)
    executed = QonnxModel(path)
    prove_execution(job, model, executed, scheme)
    show_bit_exact(job, model, executed, recipe.test_images)
    evaluate(job, qonnx_session(model, executed), recipe.test_images, job.cell.batch_size)


def record_size(job: Job, model: Network, scheme: str) -> None:
    """The file isn't what would be deployed; what its weights take in bits stands beside it."""
    job.artifact(QONNX_FILE, "QONNX model")
    bits = int(scheme[1])
    size = job.artifacts[-1].size_bytes
    job.record("model_size_bytes", [size], "QONNX file", source="weights lie in it as float32")
    packed = model.described.packed_bytes(bits)
    source = f"computed: {bits} bit a weight, without scales and offsets"
    job.record("model_size_bytes", [packed], "packed weights", source=source)
    why = "QONNX keeps weights as float32; what would be deployed is made from it for an FPGA"
    job.record("model_size_bytes", [None], reason=why)


def prove_execution(job: Job, model: Network, executed: QonnxModel, scheme: str) -> None:
    """By the numbers that qonnx really multiplied, on a batch of the test images.

    Raises Unsupported where they aren't what the technique promises.
    """
    images = job.data.normalise(job.data.timed(executed.batch))
    inputs = place(model.described, images).numpy()
    found = executed.products(executed.executed(inputs))
    source = "the numbers that qonnx multiplied, node by node"
    operations = operations_of(found, PROMISED[scheme])
    prove_products(job, model.described, PROMISED[scheme], operations, source)
    job.flag(Flag(name="simulated-quantization", detail=SIMULATED))
    job.layers = "every product's numbers were compared with Brevitas' own"


def operations_of(products: List[Executed], promised: str) -> List[Operation]:
    """What one call executes, by operator and kind."""
    counts: Dict[Tuple[str, str], int] = {}
    for one in products:
        key = (one.operator, product_kind(one.inputs, one.weights, promised))
        counts[key] = counts.get(key, 0) + 1
    return [Operation(name, kind, count) for (name, kind), count in counts.items()]


def untimed(job: Job, scheme: str) -> None:
    """The parent's file: its proof and accuracy; no latency, and why."""
    begin(job)
    with job.phase("build"):
        model = Network(described_network(job), scheme)
        executed = opened(job)
    prove_execution(job, model, executed, scheme)
    for name in ("latency_s", "throughput_items_per_s", "end_to_end_s"):
        job.record(name, [None], items=job.cell.batch_size, reason=UNTIMED)
    tested = infer_recipe(job).test_images
    if tested is not None:
        evaluate(job, qonnx_session(model, executed), tested, executed.batch)


def opened(job: Job) -> QonnxModel:
    """The file of the cell that this one starts from. Raises FileNotFoundError, DamagedInput."""
    return QonnxModel(job.weights.file(QONNX_FILE))


def describe_file(job: Job) -> None:
    """What is known of the parent's file without an FPGA: products by kind, packed weights.

    The products are those that qonnx executed: no share of them ran as promised on an FPGA.
    """
    begin(job)
    described = described_network(job)
    executed = opened(job)
    prove_execution(job, Network(described, "w1a1"), executed, "w1a1")
    if job.proof is not None:
        job.proof = msgspec.structs.replace(job.proof, coverage=None)
    packed = described.packed_bytes(1)
    source = "computed: 1 bit a weight, without thresholds"
    job.record("model_size_bytes", [packed], "packed weights", source=source)
