"""The job a technique gets: its cell and inputs, and where it puts what it finds."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Type,
    TypeVar,
    Union,
)

import msgspec

from manifests.artifacts import file_sha256
from manifests.cell import Cell
from manifests.features import TAKING_PIXELS
from manifests.fidelity_summary import Fidelity
from manifests.flags import FLAGS, IMPOSSIBLE, PHASES, SAMPLED
from manifests.float_set import FloatSet
from manifests.manifest import Artifact, Flag, Metric, Number, PhaseTime, Proof
from manifests.metrics import METRICS, impossible
from manifests.pretrained import Pretrained
from manifests.probe_record import Probe
from runners.data import Calibration, Data
from runners.events import Emitter
from runners.failures import Unsupported
from runners.models.keras_applications import APPLICATIONS
from runners.quality import ProcessorWatch
from runners.safetensors_file import LAYOUT, NEUTRAL_FILE, write_arrays
from runners.starting_weights import PretrainedFile, Weights

T = TypeVar("T")


class Job:
    """What a technique reads (``cell``, ``data``, ``weights``, ``threads``) and records."""

    def __init__(
        self,
        cell: Cell,
        folder: Path,
        data: Optional[Data],
        weights: Optional[Weights],
        threads: int,
        emitter: Emitter,
        pretrained: Optional[PretrainedFile] = None,
    ) -> None:
        self.cell = cell
        self.folder = folder
        self.threads = threads
        self.events = emitter
        self._data = data
        if data is not None:
            # What prepares pixels itself gets them as they are.
            data.raw = cell.model in APPLICATIONS or cell.feature in TAKING_PIXELS
            data.tell = emitter.warning
            data.calibrating = Calibration.of(cell.recipe)
        self._weights = weights
        self._pretrained = pretrained
        self._after: Dict[str, Callable[[], None]] = {}
        self.metrics: List[Metric] = []
        self.phases: List[PhaseTime] = []
        self.flags: List[Flag] = []
        self.artifacts: List[Artifact] = []
        self.proof: Optional[Proof] = None
        self.settings: Dict[str, str] = {}  # of the framework, which no variable shows
        self.starts_from = ""  # weights that no cell made, and where they came from
        self.started_with: Optional[Pretrained] = None
        # What runners.float_parent holds against the float model: the session that was measured,
        # the answers to the test images, and what gives the layers' noise, or why nothing does.
        # ``float_model`` is for a framework in which building it again takes long.
        self.session: Any = None
        self.float_model: Any = None
        self.outputs: Any = None
        self.layers: Union[Callable[[Any], Any], str] = ""
        self.fidelity: Optional[Fidelity] = None
        # Of a probe: the type that its technique promises, what it made, as its framework proves
        # it, and what was found.
        self.promised = ""
        self.made: Any = None
        self.probe: Optional[Probe] = None
        self.float_set: Optional[FloatSet] = None
        if data is not None and data.meta.uniform:
            self.flag(Flag(name="uniform-data", detail=data.meta.uniform))

    @property
    def data(self) -> Data:
        """Raises ValueError when the cell was started without a data set."""
        if self._data is None:
            raise ValueError("this cell needs a data set: start the runner with --data DIR")
        return self._data

    @property
    def weights(self) -> Weights:
        """Raises ValueError when the cell was started without weights."""
        if self._weights is None:
            raise ValueError("this cell starts from weights: start the runner with --weights DIR")
        return self._weights

    def pretrained(self) -> Path:
        """The file of published weights that the cell starts from; recorded as used.

        Raises Unsupported when the cell was started without, ValueError for another file.
        """
        if self._pretrained is None:
            raise Unsupported(
                "the recipe starts from published weights, and the cell was given none: start the "
                "runner with --pretrained DIR"
            )
        path, meta = self._pretrained.checked()
        self.started_with = meta
        return path

    def promises(self, kind: str, made: Any) -> bool:
        """Whether this is a probe, which takes a proof of its own of what was ``made``."""
        if self.cell.task != "probe":
            return False
        self.promised, self.made = kind, made
        return True

    def recipe(self, kind: Type[T]) -> T:
        """The cell's recipe as ``kind``. Raises msgspec.ValidationError naming the key.

        Of a probe, which every task of a technique may read, what ``kind`` has of it.
        """
        given = self.cell.recipe
        if self.cell.task == "probe":
            names = {field.encode_name for field in msgspec.structs.fields(kind)}  # type: ignore[arg-type]
            given = {name: value for name, value in given.items() if name in names}
        return msgspec.convert(given, kind)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase and record how long it took, also when it fails.

        Where its time is a result, what disturbed it is flagged.
        """
        self.events.phase(name)
        timed = name in PHASES and name not in SAMPLED and self.cell.task != "probe"
        watch = ProcessorWatch() if timed else None
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.phases.append(PhaseTime(name=name, seconds=time.perf_counter() - begin))
            for flag in watch.flags() if watch else ():
                self.flag(msgspec.structs.replace(flag, metrics=list(PHASES[name])))
        self._after.pop(name, lambda: None)()

    @contextlib.contextmanager
    def after_phase(self, name: str, then: Callable[[], None]) -> Iterator[None]:
        """Inside, ``then`` is called once: when the first phase of that name has gone well."""
        self._after[name] = then
        try:
            yield
        finally:
            self._after.pop(name, None)

    def last_phase_s(self, name: str) -> float:
        """Seconds of the latest phase of that name."""
        return next(phase.seconds for phase in reversed(self.phases) if phase.name == name)

    def record(
        self,
        name: str,
        samples: Sequence[Optional[Number]],
        label: str = "",
        items: int = 1,
        source: str = "",
        reason: str = "",
    ) -> None:
        """Keep a metric of manifests.metrics.METRICS with its raw samples, to ten digits.

        What can't be is flagged and kept; what no number stands for is kept as missing.
        """
        info = METRICS[name]
        told = impossible(name, samples)
        if told:
            self.flag(Flag(name=IMPOSSIBLE, detail=told, metrics=[name]))
            self.warn(told)
        self.metrics.append(
            Metric(
                name=name,
                unit=info.unit,
                samples=[_ten_digits(sample) for sample in samples],
                label=label,
                items=items,
                source=source,
                reason=reason or (told if _any_lost(samples) else ""),
            )
        )

    def flag(self, *flags: Flag) -> None:
        """Keep quality flags of manifests.flags.FLAGS."""
        for flag in flags:
            if flag.name not in FLAGS:
                raise KeyError(flag.name)
            self.flags.append(flag)

    def warn(self, text: str) -> None:
        self.events.warning(text)

    def artifact(self, name: str, kind: str) -> Path:
        """Record a file in the cell's folder, and how large it is; returns its path."""
        path = self.folder / name
        size = path.stat().st_size
        self.artifacts.append(
            Artifact(path=name, kind=kind, size_bytes=size, sha256=file_sha256(path))
        )
        return path

    def starts_elsewhere(self) -> bool:
        """Whether the weights come from another framework, and so in the neutral form."""
        return self.weights.made_by() not in ("", self.cell.framework)

    def neutral_weights(self, arrays: Mapping[str, Any]) -> None:
        """Leave trained weights for every framework; names as runners.safetensors_file says."""
        about = {"model": self.cell.model, "layout": LAYOUT, "cell": self.cell.id}
        write_arrays(self.folder / NEUTRAL_FILE, arrays, about)
        self.artifact(NEUTRAL_FILE, "arrays by layer, for every framework")

    def split_counts(self) -> Dict[str, int]:
        return dict(self._data.used) if self._data else {}


def _ten_digits(sample: Optional[Number]) -> Optional[Number]:
    """Finer than any clock; the rest of a binary fraction would double a manifest's size."""
    if not isinstance(sample, float):
        return sample
    return float(f"{sample:.10g}") if math.isfinite(sample) else None


def _any_lost(samples: Sequence[Optional[Number]]) -> bool:
    """JSON has neither NaN nor infinity."""
    return any(isinstance(sample, float) and not math.isfinite(sample) for sample in samples)
