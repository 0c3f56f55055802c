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
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
)

import msgspec

from manifests.artifacts import fault, file_sha256
from manifests.cell import Cell
from manifests.codec import UnreadableError, read_manifest, read_struct
from manifests.features import TAKING_PIXELS
from manifests.fidelity_summary import Fidelity
from manifests.flags import FLAGS, IMPOSSIBLE, PHASES, SAMPLED
from manifests.float_set import FloatSet
from manifests.manifest import Artifact, Flag, Manifest, Metric, Number, PhaseTime, Proof
from manifests.metrics import METRICS, impossible
from manifests.pretrained import META, Pretrained
from manifests.probe_record import Probe
from runners.data import Calibration, Data
from runners.events import Emitter
from runners.failures import DamagedInput, Unsupported
from runners.models.keras_applications import APPLICATIONS
from runners.quality import ProcessorWatch
from runners.safetensors_file import LAYOUT, NEUTRAL_FILE, read_arrays, write_arrays

T = TypeVar("T")


class Weights(NamedTuple):
    """The folder of the cell that made the weights.

    One without a manifest was put together by hand; there is nothing to hold it against.
    """

    folder: Path

    def file(self, name: str) -> Path:
        """A file of that cell, as its manifest has it.

        Raises FileNotFoundError that names it, DamagedInput when it is not what was recorded.
        """
        path = self.folder / name
        try:
            manifest = read_manifest(self.folder / "manifest.json")
        except FileNotFoundError:
            if not path.is_file():
                raise _left_no(path) from None
            return path
        except UnreadableError as error:
            raise DamagedInput(f"the manifest of what this cell starts from: {error}") from error
        artifact = next((item for item in manifest.artifacts if item.path == name), None)
        if artifact is None:
            raise _left_no(path)
        wrong = fault(self.folder, artifact)
        if wrong is not None:
            raise DamagedInput(f"starts from cell {manifest.id}, whose {wrong.text}")
        return path

    def made_by(self) -> str:
        """The framework of the cell that made them; empty where no manifest says."""
        manifest = self.manifest()
        return manifest.cell.framework if manifest else ""

    def manifest(self) -> Optional[Manifest]:
        """Of the cell that made them; None where there is none that can be read."""
        try:
            return read_manifest(self.folder / "manifest.json")
        except (OSError, UnreadableError):
            return None  # ``file`` says what is wrong with it

    def arrays(self) -> Dict[str, Any]:
        """The neutral form that a training leaves, for another framework than its own.

        Raises FileNotFoundError, DamagedInput.
        """
        path = self.file(NEUTRAL_FILE)
        try:
            return read_arrays(path)
        except ValueError as error:
            raise DamagedInput(f"what this cell starts from: {error}") from error


def _left_no(path: Path) -> FileNotFoundError:
    return FileNotFoundError(f"{path}: the cell this one starts from left no such file")


class PretrainedFile(NamedTuple):
    """The folder of published weights: one file and what is known of it."""

    folder: Path

    def checked(self) -> Tuple[Path, Pretrained]:
        """The file, which is what was fetched. Raises ValueError, UnreadableError, OSError."""
        meta = read_struct(self.folder / META, Pretrained)
        path = self.folder / meta.file
        found = file_sha256(path)
        if found != meta.sha256:
            raise ValueError(f"{path} has SHA-256 {found}, not {meta.sha256}: run again")
        return path, meta


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
