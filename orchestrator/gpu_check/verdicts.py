"""Line by line: as expected, or not as expected and why, or not checked and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from manifests.cell import Cell, Device
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from orchestrator.gpu_check.expected import Expected, differences

Kind = Literal["as expected", "not as expected", "not checked"]
_BARE = Expected()


class Verdict(NamedTuple):
    """``what`` was looked at, what was ``expected`` of it, and ``why`` it isn't so."""

    what: str
    expected: str
    verdict: Kind
    why: str = ""

    def told(self) -> str:
        """In a sentence."""
        return f"{self.what}: {self.verdict}{f', because {self.why}' if self.why else ''}"


def cell_verdicts(
    manifests: Iterable[Manifest],
    unstarted: Iterable[PlannedCell],
    expected: Mapping[str, Expected],
    speedups: Mapping[str, float | None],
) -> list[Verdict]:
    """One for each cell; ``expected`` and ``speedups`` by cell id."""
    found = [
        _of_cell(manifest, expected.get(manifest.id, _BARE), speedups.get(manifest.id))
        for manifest in manifests
    ]
    return found + [
        Verdict(_title(planned.cell), expected.get(planned.id, _BARE).told(), "not checked",
                "there was no time left to start it")
        for planned in unstarted
    ]  # fmt: skip


def _of_cell(manifest: Manifest, expected: Expected, speedup: float | None) -> Verdict:
    what, told = _title(manifest.cell), expected.told()
    if manifest.status == "cancelled" and manifest.transient:
        return Verdict(what, told, "not checked", manifest.reason)
    wrong = differences(expected, manifest, speedup)
    return Verdict(what, told, "not as expected" if wrong else "as expected", "; ".join(wrong))


def _title(cell: Cell) -> str:
    return cell.title.removesuffix(" gpu")


def probe_verdicts(probe: Mapping[str, Any], device: Device) -> list[Verdict]:
    """Of the interpreter, its GPU, and each operation that was profiled."""
    if "reason" in probe:
        kind: Kind = "not as expected" if probe.get("failed") else "not checked"
        return [Verdict("probe", "versions and names of kernels", kind, str(probe["reason"]))]
    found = [_part(probe, "device"), _part(probe, "nvml")] if device == "gpu" else []
    operations = probe.get("operations", [])
    if not isinstance(operations, list):
        return [*found, _part(probe, "operations")]
    return found + [_of_operation(operation, device) for operation in operations]


def _part(probe: Mapping[str, Any], name: str) -> Verdict:
    reason = probe.get(name, {}).get("reason", "")
    kind: Kind = "not as expected" if reason else "as expected"
    return Verdict(f"probe {name}", "it answers", kind, reason)


def _of_operation(operation: Mapping[str, Any], device: Device) -> Verdict:
    layer, precision = operation["layer"], operation["precision"]
    what, told = f"probe {layer} {precision}", _wanted(layer, precision)
    if "reason" in operation:
        kind: Kind = "not as expected" if device == "gpu" else "not checked"
        return Verdict(what, told, kind, operation["reason"])
    names = operation["kernels" if device == "gpu" else "operators"]
    operands = _operands(operation)
    kinds = [(item["name"], item["type"]) for item in names]
    wrong = _wrong(layer, precision, [(n, operands if k == "unknown" else k) for n, k in kinds])
    return Verdict(what, told, "not as expected" if wrong else "as expected", wrong)


def _operands(operation: Mapping[str, Any]) -> str:
    """The type of what was computed with: that of kernels whose names tell none."""
    kinds = {item["type"] for item in operation.get("operators", []) if item["type"]}
    return str(kinds.pop()) if len(kinds) == 1 else "unknown"


def _wanted(layer: str, precision: str) -> str:
    if precision == "tf32" and layer.startswith("depthwise"):
        return "tf32 or float32"  # tensor cores have no such convolution
    return precision if precision == "tf32" else f"{precision} and nothing else"


def _wrong(layer: str, precision: str, names: list[tuple[str, str | None]]) -> str:
    """Why the kinds of what was executed aren't those of the precision; "" where they are."""
    kinds = {kind: name for name, kind in names if kind}
    shown = ", ".join(f"{kind} ({name[:120]})" for kind, name in kinds.items())
    if not kinds:
        seen = ", ".join(name[:80] for name, _ in names) or "nothing"
        return f"no name tells of a {layer}; executed: {seen}"
    accepted = {"tf32", "float32"} if precision == "tf32" else {precision}
    needed = accepted if layer.startswith("depthwise") else {precision}
    if set(kinds) <= accepted and set(kinds) & needed:
        return ""
    return f"its names show {shown}"
