"""``repliquant plan``: the cells of a study. This is also the dry run."""

from __future__ import annotations

from typing import Any

import click

from tui.commands.options import as_json, request_options


@click.command("plan")
@click.argument("study")
@request_options
@as_json
def command(as_json: bool, **choices: Any) -> None:
    """The cells of STUDY, with estimates and what would be skipped. Runs nothing."""
    from orchestrator.sessions import Request, prepare

    prepared = prepare(Request(**choices))
    if as_json:
        _print_json(prepared)
    else:
        _print(prepared)


def _print_json(prepared: Any) -> None:
    import msgspec

    from tui.console import print_json

    chosen = msgspec.structs.replace(prepared.plan, cells=prepared.chosen)
    print_json({"run": str(prepared.run.folder), "plan": chosen})


def _print(prepared: Any) -> None:
    from tui.console import out, table
    from tui.words import duration

    plan = prepared.plan
    rows = [
        (
            planned.id,
            planned.cell.framework,
            planned.cell.task,
            planned.cell.technique,
            str(planned.cell.batch_size),
            str(planned.cell.repeat),
            duration(planned.estimate_s) if not planned.skip else "–",
            planned.skip or _state(prepared, planned),
        )
        for planned in prepared.chosen
    ]
    columns = ("cell", "framework", "task", "technique", "batch", "repeat", "estimate", "state")
    title = f"{plan.study} · tier {plan.tier} · {plan.dataset} · {plan.protocol}"
    console = out()
    console.print(table(title, columns, rows, right=("batch", "repeat", "estimate")))
    for line in _summary(prepared):
        console.print(line, markup=False)


def _state(prepared: Any, planned: Any) -> str:
    path = prepared.run.manifest_path(planned.id)
    return "has a manifest" if path.exists() else ""


def _summary(prepared: Any) -> list[str]:
    from orchestrator.engines import make_engine
    from orchestrator.images import load_image
    from tui.words import duration, size

    chosen = [planned for planned in prepared.chosen if not planned.skip]
    todo = [planned for planned in chosen if not _state(prepared, planned)]
    seconds = sum(planned.estimate_s for planned in todo)
    sources = sorted({planned.estimate_source for planned in todo}) or ["nothing to do"]
    lines = [
        f"{len(chosen)} cells, {len(todo)} to run, about {duration(seconds)} "
        f"(from {'; '.join(sources)}); {len(prepared.chosen) - len(chosen)} can't run here",
        f"run folder: {prepared.run.folder}",
    ]
    engine = make_engine("auto")
    for name in sorted({planned.image for planned in chosen}):
        image = load_image(name)
        lines.append(f"image {name} ({engine.name}): {engine.status(image)}")
    if prepared.plan.downloads_bytes:
        lines.append(f"data set to download: {size(prepared.plan.downloads_bytes)}")
    return lines
