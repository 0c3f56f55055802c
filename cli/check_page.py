"""The page of a gpu-check: summary.json, summary.md, and what is printed, in plain text.

Needs neither click nor rich, because the check also runs where only a framework is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from comparisons.gpu_check import CheckLine, check_lines, framework_version, largest_batches
from manifests.files import write_atomically
from manifests.runner_files import readable_frameworks
from orchestrator.gpu_check.archive import Packed, pack
from orchestrator.gpu_check.check import Checked
from orchestrator.gpu_check.verdicts import Verdict, cell_verdicts, probe_verdicts
from orchestrator.running.run_lock import disk_error
from services.phrases import count, size

COLUMNS = (
    "framework", "task", "technique", "model", "batch", "status", "ms", "speedup", "allocator",
    "nvml", "energy", "covered", "reason", "flags", "cell",
)  # fmt: skip
RIGHT = ("batch", "ms", "speedup", "allocator", "nvml", "energy", "covered")
_VERDICTS = ("what", "expected", "verdict", "because")
_MISSING = "–"


class Page(NamedTuple):
    """What a check found: its numbers, its verdicts, and what the table shows across its rows."""

    title: str
    rows: list[list[str]]
    verdicts: list[Verdict]
    closing: list[str]
    value: dict[str, Any]

    @property
    def as_expected(self) -> bool:
        """Whether nothing was otherwise than expected; what wasn't checked doesn't count."""
        return all(verdict.verdict != "not as expected" for verdict in self.verdicts)

    def told(self) -> list[str]:
        """The verdicts, in sentences, and how many there are of each kind."""
        kinds = [verdict.verdict for verdict in self.verdicts]
        counted = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
        return [*(verdict.told() for verdict in self.verdicts), "; ".join(counted)]


def page_of(checked: Checked) -> Page:
    """The page of what was checked."""
    lines = check_lines(checked.manifests)
    speedups = {line.cell: line.speedup for line in lines}
    verdicts = [
        *probe_verdicts(checked.probe, checked.device),
        *cell_verdicts(checked.manifests, checked.unstarted, checked.expected, speedups),
    ]
    value = {
        "run": str(checked.run.folder),
        "verdicts": [verdict._asdict() for verdict in verdicts],
        "cells": [line._asdict() for line in lines],
        "unstarted": [planned.id for planned in checked.unstarted],
    }
    title = f"gpu-check · {', '.join(_machines(checked)) or 'no cell was run'}"
    return Page(title, [_row(line) for line in lines], verdicts, _closing(checked, lines), value)


def keep(page: Page, folder: Path) -> Packed:
    """Write summary.json and summary.md, then pack the folder. Raises MachineError."""
    try:
        write_atomically(folder / "summary.json", msgspec.json.encode(page.value) + b"\n")
        write_atomically(folder / "summary.md", _markdown(page).encode())
        return pack(folder)
    except OSError as error:
        raise disk_error(folder, error) from error


def packed_lines(packed: Packed) -> list[str]:
    """Where the archive is and how large, and what is not in it."""
    lines = [f"To carry away: {packed.path} ({size(packed.size_bytes)}), without weights"]
    if packed.left_out:
        lines.append(f"Too large for it, and only in the folder: {', '.join(packed.left_out)}")
    return lines


def plain_table(page: Page) -> list[str]:
    """The numbers without the columns that are long, aligned."""
    names = COLUMNS[: COLUMNS.index("reason")]
    rows = [list(names), *(row[: len(names)] for row in page.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(names))]
    return ["  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for name, text, width in zip(COLUMNS, row, widths, strict=False):
        yield text.rjust(width) if name in RIGHT else text.ljust(width)


def _machines(checked: Checked) -> list[str]:
    """GPU or processor, and the framework, as the manifests have them."""
    found = []
    for manifest in checked.manifests:
        machine = manifest.environment.machine
        if machine is None:
            continue
        on_gpu = manifest.cell.device == "gpu" and machine.gpus
        place = machine.gpus[0].name if on_gpu else machine.cpu
        found.append(f"{place}, {framework_version(manifest)}")
    return list(dict.fromkeys(found))


def _row(line: CheckLine) -> list[str]:
    return [
        line.framework,
        line.task,
        line.technique,
        line.model,
        str(line.batch_size),
        line.status,
        _text(line.seconds, lambda s: f"{s * 1e3:.3f}"),
        _text(line.speedup, lambda ratio: f"{ratio:.2f}"),
        _text(line.allocator_bytes, size),
        _text(line.nvml_bytes, size),
        _text(line.energy_j, lambda joules: f"{joules:.0f} J"),
        _text(line.coverage, lambda share: f"{share:.0%}"),
        line.reason,
        ", ".join(line.flags),
        line.cell,
    ]


def _text(value: float | None, render: Callable[[float], str]) -> str:
    return _MISSING if value is None else str(render(value))


def _closing(checked: Checked, lines: list[CheckLine]) -> list[str]:
    """What the table shows across its rows."""
    told = [
        f"{what}: batch {fitted} fits, {failed} runs out of memory"
        for what, (fitted, failed) in largest_batches(lines).items()
        if failed is not None
    ]
    frameworks = list(dict.fromkeys(line.framework for line in lines))
    for name in frameworks:
        there = readable_frameworks().get(name)
        if there and there.baseline_of("infer") != "float32":
            told.append(
                f"speedup in {there.title}'s inference is against {there.baseline_of('infer')}, "
                "and so the way of calling is a part of it"
            )
    if len(frameworks) > 1 and any(m.cell.device == "gpu" for m in checked.manifests):
        told.append(
            f"{len(frameworks)} frameworks share the time; "
            f"{' and '.join(f'--framework {name}' for name in frameworks)} run what each leaves "
            "out"
        )
    late = len(checked.unstarted) + sum(m.status == "cancelled" for m in checked.manifests)
    if late:
        told.append(
            f"{count(late, 'cell')} not finished for want of time; the same command goes on from "
            "here"
        )
    return told


def _markdown(page: Page) -> str:
    told = [[v.what, v.expected, v.verdict, v.why] for v in page.verdicts]
    rule = ["---:" if name in RIGHT else "---" for name in COLUMNS]
    return "\n".join(
        [f"# {page.title}", "", page.told()[-1], "",
         *_piped([list(_VERDICTS), ["---"] * len(_VERDICTS), *told]), "",
         *_piped([list(COLUMNS), rule, *page.rows]), "", *page.closing, ""]
    )  # fmt: skip


def _piped(rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(" ".join(field.replace("|", "\\|").split()) for field in row) + " |"
        for row in rows
    ]
