"""Reading GPUs: what there is to ask of each, in SI units, with a reason for what is missing."""

from __future__ import annotations

import functools
from typing import Any, Callable, NamedTuple, Optional, Protocol

from machine import gpu_settings
from machine.gpu_questions import MHZ, PROCESSES, QUESTIONS, Question
from machine.nvml import Call, Failure, Nvml
from manifests.manifest import Gpu
from manifests.telemetry_series import GpuProcess, GpuSample


class GpuReadings(NamedTuple):
    """One sample a GPU, and why readings are missing (``gpus``, ``gpus/0``, ``gpus/0/power_w``)."""

    samples: list[GpuSample]
    reasons: dict[str, str]


Own = Callable[[int], Optional[bool]]
"""Whether a process id belongs to a cell of ours; None when nobody can tell."""


class GpuReader(Protocol):
    """Where the readings of GPUs come from; ``made_up`` says how, if from no machine."""

    made_up: str

    def describe(self) -> dict[int, Gpu]:
        """The GPUs by their numbers."""

    def read(self, own: Own | None) -> GpuReadings:
        """Read them all. With ``own`` their processes are listed and told apart by it."""

    def close(self) -> None:
        """Let go of what was opened."""


class NvmlGpus:
    """The NVIDIA GPUs of this machine, in the order of their places on the bus."""

    made_up = ""

    def __init__(self, nvml: Nvml | None = None) -> None:
        self._nvml = nvml or Nvml()
        self._devices: dict[int, _Device] = {}

    def describe(self) -> dict[int, Gpu]:
        if not self._open():
            return {}
        return {index: device.describe() for index, device in self._devices.items()}

    def read(self, own: Own | None) -> GpuReadings:
        readings = GpuReadings([], {})
        if self._open():
            for device in self._devices.values():
                readings.samples.append(device.read(own, readings.reasons))
        if self._nvml.failure is not None:  # it may have gone just now
            return GpuReadings(
                [GpuSample(index=index) for index in self._devices],
                {"gpus": self._nvml.failure.reason},
            )
        return readings

    def close(self) -> None:
        self._nvml.close()

    def _open(self) -> bool:
        """Devices are kept while the library is away, so that each has its place still."""
        if not self._nvml.opened():
            return False
        handles = self._nvml.handles
        if any(self._handle(index) is not handle for index, handle in handles.items()):
            self._devices = {i: _Device(self._nvml, i, handle) for i, handle in handles.items()}
        return True

    def _handle(self, index: int) -> Any:
        return self._devices[index].handle if index in self._devices else None


class _Device:
    """One GPU: what it can't tell is asked once, what an older driver knows in the older way."""

    def __init__(self, nvml: Nvml, index: int, handle: Any) -> None:
        self.handle = handle
        self._nvml = nvml
        self._index = index
        self._lost = handle if isinstance(handle, Failure) else None
        self._never: dict[Question, Failure] = {}
        self._way: dict[Question, int] = {}
        self._divided = self._mig()

    def describe(self) -> Gpu:
        """What stays the same; clocks are the highest it may take, in Hz."""
        version = self._one(lambda nvml, gpu: nvml.nvmlDeviceGetCudaComputeCapability(gpu))
        cuda = self._of_driver(lambda nvml, _: nvml.nvmlSystemGetCudaDriverVersion_v2())
        milliwatts = self._one(lambda nvml, gpu: nvml.nvmlDeviceGetEnforcedPowerLimit(gpu))
        settings = gpu_settings.read(self._asked)
        return Gpu(
            name=self._one(lambda nvml, gpu: nvml.nvmlDeviceGetName(gpu)) or "unknown",
            memory_bytes=self._one(lambda nvml, gpu: nvml.nvmlDeviceGetMemoryInfo(gpu).total),
            driver=self._of_driver(lambda nvml, _: nvml.nvmlSystemGetDriverVersion()),
            cuda=f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None,
            compute_capability=f"{version[0]}.{version[1]}" if version else None,
            power_limit_w=milliwatts / 1e3 if milliwatts is not None else None,
            sm_clock_hz=self._highest_hz("NVML_CLOCK_SM"),
            memory_clock_hz=self._highest_hz("NVML_CLOCK_MEM"),
            index=self._index,
            mig=self._divided,
            uuid=self._one(lambda nvml, gpu: nvml.nvmlDeviceGetUUID(gpu)),
            instances=self._instances() if self._divided else [],
            settings=settings if self._lost is None else None,
        )

    def read(self, own: Own | None, reasons: dict[str, str]) -> GpuSample:
        """One sample; why a field of it is missing goes into ``reasons``."""
        fields: dict[str, Any] = {}
        questions = QUESTIONS if own is None else (*QUESTIONS, PROCESSES)
        for question in questions:
            if self._lost is not None:
                break
            self._answer(question, fields, reasons)
        if self._lost is not None:
            reasons[f"gpus/{self._index}"] = self._lost.reason
            return GpuSample(index=self._index)
        if own is not None and "processes" in fields:
            fields["processes"] = _processes(fields["processes"], self._told_apart(own))
        return GpuSample(index=self._index, **fields)

    def _answer(self, question: Question, fields: dict[str, Any], reasons: dict[str, str]) -> None:
        failure = self._never.get(question)
        if failure is None:
            found = self._ask(question)
            if not isinstance(found, Failure):
                fields.update(zip(question.fields, found))
                return
            failure = found
        if self._lost is not None:
            return
        for field in question.fields:
            reasons[f"gpus/{self._index}/{field}"] = self._words(failure)

    def _ask(self, question: Question) -> tuple[Any, ...] | Failure:
        """By the way that worked last; a lasting failure tries the next way."""
        while True:
            way = self._way.setdefault(question, 0)
            found = self._nvml.ask(question.ways[way], self.handle)
            if not isinstance(found, Failure) or not found.lasting:
                return found
            if found.scope == "gpu":
                self._lost = found
                return found
            if way + 1 == len(question.ways):
                self._never[question] = found
                return found
            self._way[question] = way + 1

    def _highest_hz(self, clock: str) -> int | None:
        found = self._one(
            lambda nvml, gpu: nvml.nvmlDeviceGetMaxClockInfo(gpu, getattr(nvml, clock))
        )
        return found * MHZ if found is not None else None

    def _of_driver(self, call: Call[Any]) -> Any:
        """A fact about what all GPUs share, or None; also beside a GPU that was lost."""
        found = self._nvml.ask(call, None)
        return None if isinstance(found, Failure) else found

    def _one(self, call: Call[Any]) -> Any:
        """A fact, or None."""
        found = self._asked(call)
        return None if isinstance(found, Failure) else found

    def _asked(self, call: Call[Any]) -> Any:
        """A fact, or why there is none."""
        if self._lost is not None:
            return self._lost
        found = self._nvml.ask(call, self.handle)
        if isinstance(found, Failure) and found.scope == "gpu":
            self._lost = found
        return found

    def _mig(self) -> bool | None:
        """Whether it is divided; None of a GPU that can't be."""
        mode = self._one(lambda nvml, gpu: nvml.nvmlDeviceGetMigMode(gpu))
        return bool(mode[0]) if mode else None

    def _instances(self) -> list[str]:
        """The UUIDs of its MIG instances; places that are empty give none."""
        most = self._one(lambda nvml, gpu: nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)) or 0
        found = [self._one(functools.partial(_instance, at)) for at in range(most)]
        return [uuid for uuid in found if uuid]

    def _told_apart(self, own: Own) -> Own:
        """What else computes on a divided GPU may have an instance of its own."""
        return (lambda pid: own(pid) or None) if self._divided else own

    def _words(self, failure: Failure) -> str:
        """NVML gives no utilisation of a GPU that is divided."""
        return f"{failure.reason} (the GPU is divided by MIG)" if self._divided else failure.reason


def _instance(at: int, nvml: Any, gpu: Any) -> str:
    uuid: str = nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, at))
    return uuid


def _processes(found: Any, own: Own) -> list[GpuProcess]:
    return [
        GpuProcess(pid=process.pid, memory_bytes=process.usedGpuMemory, own=own(process.pid))
        for process in found
    ]
