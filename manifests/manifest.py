"""The manifest: the immutable record of one cell, also of one that failed."""

from __future__ import annotations

from typing import Dict, List, Literal, Optional, Union

import msgspec

from manifests.allocation import Allocation as Allocation
from manifests.cell import Cell
from manifests.code_version import CodeVersion as CodeVersion
from manifests.fidelity_summary import Fidelity
from manifests.float_set import FloatSet
from manifests.hardware import Conditions as Conditions
from manifests.hardware import Gpu as Gpu
from manifests.hardware import IdlePower as IdlePower
from manifests.hardware import Limits as Limits
from manifests.hardware import Machine as Machine
from manifests.probe_record import Probe
from manifests.right_answers import RightAnswers
from manifests.telemetry_summary import Telemetry

SCHEMA_NAME = "repliquant/manifest"
SCHEMA_VERSION = 1
SCHEMA = f"{SCHEMA_NAME}/{SCHEMA_VERSION}"

Status = Literal["ok", "oom", "unsupported", "timeout", "crashed", "cancelled"]
SealedBy = Literal["", "launcher", "collector"]
Number = Union[int, float]


class Metric(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One quantity with its raw samples; a reading that is missing is ``None``, never 0.

    ``label`` tells apart metrics of one name (``op_time_s`` by operation). ``items`` is how many
    items one sample covers. ``source`` says where the reading came from.
    """

    name: str
    unit: str
    samples: List[Optional[Number]]
    label: str = ""
    items: int = 1
    source: str = ""
    reason: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which operations really ran in which data type.

    ``operations`` maps data type to operation to count. ``coverage`` is the share of the
    compute operations (convolutions and matrix products) that ran in the promised type.
    """

    promised: str
    operations: Dict[str, Dict[str, int]]
    coverage: Optional[float]
    fallback: List[str]
    source: str


class Flag(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A reason to read the numbers with care; ``name`` is one of manifests.flags.FLAGS.

    ``metrics`` names those that it is about; empty for all that its entry in FLAGS names.
    """

    name: str
    detail: str
    metrics: List[str] = []


class ImageUsed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The environment: its folder's name and the hash of its lock.

    In a container also the image's id, what it was built from with that base's digest, and the one
    under which a registry knows the image (``None`` for one that was only built here). ``unhashed``
    are the packages whose content was taken as it came.
    """

    name: str
    kind: Literal["venv", "container", "given"]
    lock_sha256: Optional[str] = None
    digest: Optional[str] = None
    id: Optional[str] = None
    base: Optional[str] = None
    base_digest: Optional[str] = None
    unhashed: List[str] = []


class Mount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A folder inside a container that is not part of its image."""

    target: str
    kind: Literal["bind", "volume", "tmpfs"]
    read_only: bool
    options: str = ""


class Container(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a cell's container was configured; what is not named here is the engine's default.

    ``pids_limit`` and ``memory_bytes`` are None where the kernel holds nobody to them: control
    groups of version 1 are root's, so an engine without root has none. ``product`` is whose engine
    it is, ``rootless`` whether it runs without root (None: not recorded yet).
    """

    engine_version: str
    api_version: str
    user: str
    network: str
    read_only_root: bool
    capabilities_dropped: List[str]
    capabilities_added: List[str]
    security_options: List[str]
    pids_limit: Optional[int]
    memory_bytes: Optional[int]
    shm_bytes: int
    cpus: List[int]
    gpus: List[str]
    gpu_request: str
    mounts: List[Mount]
    environment: Dict[str, str]
    command: List[str]
    product: str = "Docker Engine"
    rootless: Optional[bool] = None


class Environment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything around the cell that can change its numbers.

    ``variables`` are those of the process, ``settings`` what the technique set in the framework.
    ``conditions`` are as they were before the cell began its work.
    """

    machine: Optional[Machine] = None
    python: Optional[str] = None
    packages: Dict[str, str] = {}
    threads: Optional[int] = None
    variables: Dict[str, str] = {}
    settings: Dict[str, str] = {}
    limits: Optional[Limits] = None
    conditions: Optional[Conditions] = None


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the orchestrator knows and the runner can't: handed over with the cell.

    ``gpus`` are those that the cell was given, as CUDA_VISIBLE_DEVICES names them. ``idle`` is
    there where the machine's energy can be measured, ``allocation`` where a queue gave the node.
    """

    engine: str
    image: ImageUsed
    kit: CodeVersion
    run: str
    attempt: int = 1
    command: List[str] = []
    why_again: str = ""
    container: Optional[Container] = None
    gpus: List[str] = []
    idle: Optional[IdlePower] = None
    allocation: Optional[Allocation] = None


class Split(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One part of a data set; the hash covers pixels and labels as the models get them."""

    count: int
    sha256: str


class Dataset(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The images a cell was given, and how many of each split it used.

    ``mean`` and ``std`` are those of the training split, by channel, in 0 ... 1.
    ``passed_over`` counts what the reader left out by its reason, ``converted`` the pictures that
    were not 8-bit RGB by what was done to them, ``resized_from`` their sizes before. ``uniform``
    says why the images can teach nothing, and is empty where they can. ``mirrored``: whether a
    mirrored picture shows the same; digits and letters become others. ``source_sha256`` is the
    hash of the archive, or of all files of a folder; ``checked`` says against what a download
    was checked.
    """

    name: str
    origin: str
    classes: List[str]
    image_size: int
    mean: List[float]
    std: List[float]
    splits: Dict[str, Split]
    used: Dict[str, int] = {}
    passed_over: Dict[str, int] = {}
    converted: Dict[str, int] = {}
    resized_from: Dict[str, int] = {}
    uniform: str = ""
    mirrored: bool = True
    source_sha256: str = ""
    checked: str = ""


class Inputs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Data, weights and seeds.

    ``weights_manifest_sha256`` is the hash of the manifest of the cell that made the weights,
    which in turn holds the hash of each of its files. Weights that no cell made come from a
    file that its publisher offers: its hash, and against what that was checked.
    """

    dataset: Optional[Dataset] = None
    weights: str = "none"
    weights_manifest_sha256: Optional[str] = None
    weights_file_sha256: Optional[str] = None
    weights_checked: str = ""
    seeds: Dict[str, int] = {}


class Artifact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file the cell left in its folder."""

    path: str
    kind: str
    size_bytes: int
    sha256: str


class PhaseTime(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How long a phase took; a phase may come more than once."""

    name: str
    seconds: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The record of one cell.

    ``transient`` says that the failure is not a property of the cell (it was cut off, or its
    environment was missing), so that resuming runs it again. ``sealed_by`` says who wrote it: the
    ``launcher``, or, where that left none, the ``collector``; earlier versions did not say.
    ``fidelity`` is None for a model that was made from no float model, ``answers`` where accuracy
    wasn't taken, or by a protocol that counts otherwise. ``probe`` is what a probe found, None for
    every other cell and for a probe that ended without a word of its own. ``float_set`` is what a
    cell found has to stay in float of its network, where it looked for that.
    """

    schema: str = SCHEMA
    id: str
    cell: Cell
    status: Status
    reason: str
    error: str = ""
    transient: bool = False
    started_at: str
    wall_s: float
    metrics: List[Metric]
    proof: Optional[Proof] = None
    flags: List[Flag] = []
    context: Optional[Context] = None
    environment: Environment
    inputs: Inputs
    artifacts: List[Artifact] = []
    phases: List[PhaseTime] = []
    telemetry: Optional[Telemetry] = None
    sealed_by: SealedBy = ""
    fidelity: Optional[Fidelity] = None
    answers: Optional[RightAnswers] = None
    probe: Optional[Probe] = None
    float_set: Optional[FloatSet] = None

    def metric(self, name: str, label: str = "") -> Optional[Metric]:
        """The metric of that name and label, or None."""
        for metric in self.metrics:
            if metric.name == name and metric.label == label:
                return metric
        return None

    def labelled(self, name: str) -> List[Metric]:
        """All metrics of that name, whatever their label."""
        return [metric for metric in self.metrics if metric.name == name]
