"""What cells told while they ran, as curves: of several runs, to be laid over one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comparisons.statistics import readings
from manifests import event
from manifests.codec import UnreadableError
from manifests.manifest import Manifest, Metric
from manifests.metrics import METRICS
from manifests.run_folder import Run
from manifests.units import shown_in
from tui.loaded import Curve, Curves
from tui.recording import read_events

MOST = 12
"""So many cells are read, the shown run's first."""

_FEWEST = 2
_MOST_POINTS = 4000
_OPERATIONS = "op_time_s"
"""A number for each operation, not for each moment."""


def read_curves(runs: Sequence[Run], cells: Sequence[str], title: str) -> Curves:
    """Loss and rate by step of what trains, samples by their order of what is timed."""
    curves = Curves(title, {}, {})
    wanted = [(run, cell) for cell in cells for run in runs if run.cell_folder(cell).is_dir()]
    for run, cell in wanted[:MOST]:
        for quantity, across, curve in (*_told(run, cell), *_sampled(run, cell)):
            curves.found.setdefault(quantity, []).append(curve)
            curves.across[quantity] = across
    return curves


def _told(run: Run, cell: str) -> Iterator[tuple[str, str, Curve]]:
    """From the events of its steps; what begins to count anew goes on where it was."""
    losses, rates = _Line(), _Line()
    for happened in read_events(run, cell):
        if isinstance(happened, event.Step):
            losses.add(happened.step, happened.loss)
            rates.add(happened.step, happened.items_per_s)
    for name, line in (("loss", losses), ("items/s", rates)):
        if len(line.values) >= _FEWEST:
            yield name, "step", Curve(run, cell, line.steps, line.values)


class _Line:
    """A curve while it is read."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.values: list[float] = []
        self._before = self._last = 0

    def add(self, step: int, value: float | None) -> None:
        if value is None or len(self.values) >= _MOST_POINTS:
            return
        if step <= self._last:
            self._before += self._last
        self._last = step
        self.steps.append(float(self._before + step))
        self.values.append(value)


def _sampled(run: Run, cell: str) -> Iterator[tuple[str, str, Curve]]:
    """The samples of each metric that has some, in the unit that people read."""
    for metric in _metrics(run, cell):
        known = METRICS.get(metric.name)
        values = readings(metric)[:_MOST_POINTS]
        if metric.name == _OPERATIONS or known is None or len(values) < 2 * _FEWEST:
            continue
        factor, unit = shown_in(known.unit)
        name = " ".join(part for part in (known.name, metric.label, unit) if part)
        steps = [float(index) for index in range(1, len(values) + 1)]
        yield name, "sample", Curve(run, cell, steps, [value * factor for value in values])


def _metrics(run: Run, cell: str) -> Sequence[Metric]:
    try:
        manifest: Manifest | None = run.manifest(cell)
    except (UnreadableError, OSError):
        return ()
    return manifest.metrics if manifest is not None else ()
