"""What a plan would take: cells, minutes, what is fetched and built first, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from services.phrases import count, duration, size

if TYPE_CHECKING:
    from orchestrator.running.request import Prepared


class PlanWords(NamedTuple):
    """``cells`` and ``time`` are of what is still to do; ``rest`` are lines of their own."""

    cells: str
    time: str
    rest: tuple[str, ...]


def plan_words(prepared: Prepared, states: Mapping[str, str]) -> PlanWords:
    """``states`` is what each cell has come to, "waiting" where nothing; engines are asked."""
    able = [one for one in prepared.chosen if not one.skip]
    todo = [one for one in able if states.get(one.id, "waiting") == "waiting"]
    done = len(able) - len(todo)
    cells = f"{len(todo):,} of {count(len(prepared.chosen), 'cell')} to run"
    cells += f", {done:,} done" if done else ""
    seconds = sum(one.estimate_s for one in todo)
    rest = [*_missing(prepared), *_fetched(prepared), *_built(prepared, {p.image for p in todo})]
    rest.append(f"engine {prepared.where.engine.name}; {_space(prepared)}")
    return PlanWords(cells, duration(seconds) if todo else "nothing to do", tuple(rest))


def _missing(prepared: Prepared) -> list[str]:
    reasons = Counter(one.skip for one in prepared.chosen if one.skip)
    return [f"{count(number, 'cell')} can't run: {reason}" for reason, number in reasons.items()]


def _fetched(prepared: Prepared) -> list[str]:
    plan = prepared.plan
    parts = [f"{size(plan.downloads_bytes)} of images"] if plan.downloads_bytes else []
    parts += plan.weights_to_fetch
    return [f"fetched first: {', '.join(parts)}"] if parts else []


def _built(prepared: Prepared, images: set[str]) -> list[str]:
    """The environments that are not ready; a run makes them."""
    from manifests.errors import RepliquantError
    from orchestrator.environments.images import load_image

    waiting = []
    for name in sorted(images):
        try:
            if prepared.where.engine.status(load_image(name)) != "ready":
                waiting.append(name)
        except RepliquantError as error:
            return [f"environment {name}: {error}"]
    return [f"environments made first: {', '.join(waiting)}"] if waiting else []


def _space(prepared: Prepared) -> str:
    """The run's folder, and how much room there is."""
    from machine.inventory import free_bytes

    free = free_bytes(prepared.run.folder)
    return f"{prepared.run.folder}" + (f", {size(free)} free" if free is not None else "")
