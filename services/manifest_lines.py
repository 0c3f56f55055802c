"""A manifest for people: everything that stands behind its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from comparisons.render.fidelity_rows import fidelity_rows, layer_rows
from comparisons.render.float_set_rows import float_set_rows, float_set_steps
from comparisons.render.metric_rows import COLUMNS, NUMBERS, metric_rows
from comparisons.render.values import NONE
from manifests.artifacts import faults
from manifests.flags import FLAGS, concerns, disqualifies
from manifests.manifest import Dataset, ImageUsed, Manifest
from manifests.metrics import METRICS
from services.gpu_lines import gpu_words
from services.limits import limits_words
from services.phrases import duration, printable, size
from services.tables import FittedTable, table
from services.telemetry_lines import describe_telemetry
from services.tuning import conditions_words

_MOST_OPERATIONS = 12
_MOST_LAYERS = 8


def describe(manifest: Manifest, folder: Path) -> Iterator[str | FittedTable]:
    """Texts and tables, in the order in which a reader asks."""
    cell = manifest.cell
    reason = f": {printable(manifest.reason)}" if manifest.reason else ""
    yield f"cell {manifest.id} · {printable(cell.title)} · {manifest.status}{reason}"
    yield table("Cell", ("field", "value"), _cell_rows(manifest))
    if manifest.error:
        yield f"Error:\n{printable(manifest.error, lines=True)}"
    if manifest.metrics:
        rows = [tuple(map(str, row)) for row in metric_rows(manifest, _MOST_OPERATIONS)]
        yield table("Metrics", COLUMNS, rows, right=NUMBERS)
    yield from _proof(manifest)
    yield from _fidelity(manifest)
    yield from _float_set(manifest)
    if manifest.flags:
        yield _flags(manifest)
    yield table("Where it comes from", ("what", "value"), _origin_rows(manifest))
    if manifest.telemetry is not None:
        yield from describe_telemetry(manifest.telemetry)
    if manifest.artifacts:
        rows = [(a.path, a.kind, size(a.size_bytes), a.sha256[:16]) for a in manifest.artifacts]
        yield table("Artifacts", ("file", "kind", "size", "sha256"), rows)
    for wrong in faults(folder, manifest):
        if not wrong.missing:
            yield f"not as recorded: {printable(wrong.text)}"
    phases = " · ".join(f"{phase.name} {phase.seconds:.2f} s" for phase in manifest.phases)
    yield f"phases: {printable(phases) or 'none'}"
    yield f"folder: {folder}"


def _flags(manifest: Manifest) -> FittedTable:
    heads = ("flag", "about", "detail", "meaning", "may decide")
    rows = [
        (
            flag.name,
            ", ".join(METRICS[name].name for name in METRICS if concerns(flag, name)),
            flag.detail,
            FLAGS[flag.name].meaning if flag.name in FLAGS else "",
            "no" if disqualifies(flag.name) else "yes",
        )
        for flag in manifest.flags
    ]
    return table("Quality flags", heads, rows)


def _cell_rows(manifest: Manifest) -> list[tuple[str, str]]:
    cell = manifest.cell
    recipe = ", ".join(f"{key} {value}" for key, value in cell.recipe.items())
    names = (
        "study", "task", "framework", "technique", "model", "dataset", "image_size",
        "batch_size", "device", "seed", "repeat", "protocol", "tier", "weights_from",
    )  # fmt: skip
    return [*((name, str(getattr(cell, name))) for name in names), ("recipe", recipe)]


def _proof(manifest: Manifest) -> Iterator[str | FittedTable]:
    proof = manifest.proof
    if proof is None:
        yield "no proof of precision"
        return
    rows = [
        (kind, operation, str(count))
        for kind, operations in proof.operations.items()
        for operation, count in operations.items()
    ]
    coverage = f"{proof.coverage:.0%}" if proof.coverage is not None else "unknown"
    title = f"Proof of precision: {coverage} of the compute operations in {proof.promised}"
    yield table(f"{title} ({proof.source})", ("type", "operation", "count"), rows)


def _fidelity(manifest: Manifest) -> Iterator[FittedTable]:
    rows = fidelity_rows(manifest)
    if rows:
        yield table("Fidelity to its float model", ("what", "value"), rows)
    layers = layer_rows(manifest, _MOST_LAYERS)
    if layers:
        heads = ("layer", "cumulative SQNR", "isolated SQNR")
        yield table("Layers, the noisiest first", heads, layers, right=heads[1:])


def _float_set(manifest: Manifest) -> Iterator[FittedTable]:
    rows = float_set_rows(manifest)
    if rows:
        yield table("What has to stay in float", ("what", "value"), rows)
        heads = ("left in float", "outcome", "words")
        yield table("Steps to it", heads, float_set_steps(manifest))


def _origin_rows(manifest: Manifest) -> list[tuple[str, str]]:
    environment, inputs, context = manifest.environment, manifest.inputs, manifest.context
    rows = [("started", manifest.started_at), ("took", duration(manifest.wall_s))]
    if environment.machine is not None:
        machine = environment.machine
        rows += [
            ("processor", f"{machine.cpu}, {machine.cpus} usable"),
            ("instruction sets", " ".join(machine.instruction_sets)),
            ("memory", size(machine.memory_bytes) if machine.memory_bytes else NONE),
            *(("gpu", gpu_words(gpu)) for gpu in machine.gpus),
            ("system", machine.system + (", in a virtual machine" if machine.hypervisor else "")),
        ]
    if environment.limits is not None:
        rows.append(("held back by", limits_words(environment.limits) or "nothing"))
    if environment.conditions is not None:
        rows.append(("set to", conditions_words(environment.conditions) or NONE))
    rows += [("python", environment.python or NONE), ("threads", str(environment.threads))]
    rows.append(("packages", ", ".join(f"{k} {v}" for k, v in environment.packages.items())))
    if context is not None:
        lock = context.image.lock_sha256 or NONE
        dirty = " with local changes" if context.kit.dirty else ""
        rows += [
            ("engine", context.engine),
            ("image", f"{context.image.name} ({context.image.kind}), lock {lock}"),
            *_contents(context.image),
            ("kit", f"{context.kit.version}, commit {context.kit.commit or NONE}{dirty}"),
            *(
                (
                    "code from outside",
                    f"{one.name}, commit {one.commit or NONE}, SHA-256 {one.sha256}",
                )
                for one in context.kit.extensions
            ),
            ("attempt", f"{context.attempt} {context.why_again}".strip()),
            ("command", " ".join(context.command)),
        ]
    if inputs.dataset is not None:
        splits = ", ".join(
            f"{name} {split.count} ({split.sha256[:12]})"
            for name, split in inputs.dataset.splits.items()
        )
        used = ", ".join(f"{name} {count}" for name, count in inputs.dataset.used.items())
        rows += [("data", f"{inputs.dataset.name}: {inputs.dataset.origin}"), ("splits", splits)]
        rows.append(("images used", used or "one batch of the test split"))
        rows += _reading_rows(inputs.dataset)
    rows.append(("weights", inputs.weights))
    if inputs.weights_file_sha256:
        told = f"SHA-256 {inputs.weights_file_sha256}; checked: {inputs.weights_checked}"
        rows.append(("weights file", told))
    return rows


def _reading_rows(dataset: Dataset) -> list[tuple[str, str]]:
    """What happened to the images before anything saw them."""
    counted = {
        "passed over": dataset.passed_over,
        "converted": dataset.converted,
        f"resized to {dataset.image_size} x {dataset.image_size}": dataset.resized_from,
    }
    rows = [
        (what, ", ".join(f"{count:,} {name}" for name, count in counts.items()))
        for what, counts in counted.items()
        if counts
    ]
    if dataset.checked:
        rows.append(("data checked", dataset.checked))
    return rows


def _contents(image: ImageUsed) -> list[tuple[str, str]]:
    """What else is known of an environment's content."""
    rows = []
    if image.base:
        rows.append(("base", f"{image.base}, {image.base_digest or 'digest unknown'}"))
    if image.unhashed:
        rows.append(("without a known hash", ", ".join(image.unhashed)))
    return rows
