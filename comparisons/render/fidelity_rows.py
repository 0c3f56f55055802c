"""How faithful a model is to its float parent, in words: on the console and in the report."""

from __future__ import annotations

from comparisons.intervals import share_interval
from comparisons.render.values import NONE, number
from manifests.fidelity_summary import FLOORED, ISOLATED, WORST_LAYER, Fidelity
from manifests.manifest import Manifest, Metric

_PARTS = ("", "median", "p90")


def fidelity_rows(manifest: Manifest) -> list[tuple[str, str]]:
    """What was compared and what came of it; empty for a model without a float parent."""
    found = manifest.fidelity
    if found is None:
        return []
    rows = [("float parent", _parent(found))]
    if found.reason:
        return [*rows, ("not compared", found.reason)]
    rows.append(("top-1 agreement", _agreement(found)))
    rows.append(("divergence (KL)", _divergence(manifest, found)))
    rows.append(("output SQNR", _decibels(manifest.metric("sqnr_db"), found.outputs)))
    return [*rows, *_layer_facts(manifest, found)]


def layer_rows(manifest: Manifest, most: int) -> list[tuple[str, str, str]]:
    """Name, cumulative and isolated SQNR of up to ``most`` layers, the noisiest first."""
    layers = [metric for metric in manifest.labelled("sqnr_db") if is_layer(metric)]
    alone = {m.label: m for m in layers if m.source.startswith(ISOLATED)}
    rows = []
    for metric in layers:
        if metric.label in alone:
            continue
        isolated = alone.get(f"{metric.label} {ISOLATED}")
        rows.append((_worth(isolated or metric), metric.label, metric, isolated))
    rows.sort(key=lambda row: row[0])
    return [(name, _decibels(one), _decibels(other)) for _, name, one, other in rows[:most]]


def is_layer(metric: Metric) -> bool:
    """Whether it is the SQNR of one layer, of which there are many."""
    return metric.name == "sqnr_db" and metric.label not in ("", WORST_LAYER)


def _worth(metric: Metric) -> float:
    """Its SQNR; what has no number comes last."""
    value = metric.samples[0] if metric.samples else None
    return float("inf") if value is None else value


def _parent(found: Fidelity) -> str:
    return f"cell {found.parent}" + (
        f", its answers {found.parent_outputs}" if found.parent_outputs else ""
    )


def _agreement(found: Fidelity) -> str:
    if found.images is None or found.agreeing is None:
        return NONE
    low, high = share_interval(found.agreeing, found.images)
    share = f"{number(100 * found.agreeing / found.images)} %"
    interval = f"[{number(100 * low)}, {number(100 * high)}]"
    return (
        f"{share} {interval}, {found.agreeing:,} of {found.images:,} images; right in the float "
        f"model alone: {found.n10}, in this one alone: {found.n01}"
    )


def _divergence(manifest: Manifest, found: Fidelity) -> str:
    """With an exponent where it is tiny."""
    labels = [f"{FLOORED} {name}".strip() if found.floored else name for name in _PARTS]
    metrics = [manifest.metric("kl_nats", label) for label in labels]
    first = metrics[0]
    if first is None or first.samples[:1] == [None]:
        return f"{NONE}: {first.reason}" if first else NONE
    values = [
        f"{name or 'mean'} {_nats(metric)}" for name, metric in zip(_PARTS, metrics, strict=True)
    ]
    if found.kl_low is not None and found.kl_high is not None:
        values[0] += f" [{found.kl_low:.3g}, {found.kl_high:.3g}]"
    floored = "; floored, steps of 1/256" if found.floored else ""
    return f"{', '.join(values)} nats ({found.outputs}{floored})"


def _nats(metric: Metric | None) -> str:
    value = metric.samples[0] if metric is not None and metric.samples else None
    return NONE if value is None else f"{value:.3g}"


def _decibels(metric: Metric | None, what: str = "") -> str:
    if metric is None or not metric.samples:
        return NONE
    value = metric.samples[0]
    if value is None:
        return metric.reason or NONE
    return f"{value:.1f} dB" + (f" ({what})" if what else "")


def _layer_facts(manifest: Manifest, found: Fidelity) -> list[tuple[str, str]]:
    if found.layers_reason:
        return [("layers", f"not compared: {found.layers_reason}")]
    worst = _decibels(manifest.metric("sqnr_db", WORST_LAYER), f"by {found.worst_by}")
    count = sum(
        is_layer(m) and not m.source.startswith(ISOLATED) for m in manifest.labelled("sqnr_db")
    )
    rows = [("worst layer", f"{found.worst_layer}, {worst}" if found.worst_layer else "no noise")]
    rows.append(("layers", f"{count} on {found.layer_images} images: {found.layer_source}"))
    if found.unmatched:
        rows.append(("layers not matched", ", ".join(found.unmatched)))
    return rows
