"""The engine ``auto``: the first in rank that lacks no image, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from manifests.codec import UnreadableError
from manifests.errors import RepliquantError
from manifests.run_folder import Run
from orchestrator.engines.base import Engine
from orchestrator.engines.registry import ranked
from orchestrator.environments.images import Image


class Choice(NamedTuple):
    """The engine, and the reason for it in one line."""

    engine: Engine
    why: str


def choose_engine(images: list[Image]) -> Choice:
    """The first engine that can be had and lacks none of the images, else the last in rank.

    Raises MachineError when not even that one can be had.
    """
    *first, (_, last) = ranked()
    passed: list[str] = []
    for name, entry in first:
        try:
            engine = entry.make()
        except RepliquantError as error:
            passed.append(f"no {name.capitalize()} ({error})")
            continue
        lacks = next(filter(None, (_unavailable(engine, image) for image in images)), "")
        if not lacks:
            why = f"{engine.words} answers and the images are there or can be built"
            return Choice(engine, why)
        passed.append(f"{engine.words} answers, but {lacks}")
    return Choice(last.make(), "; ".join(passed))


def begun_with(run: Run, ids: Iterable[str], images: list[Image]) -> Choice | None:
    """The engine of the first of these cells that is there, if it is in rank and lacks no image.

    What goes on elsewhere is another measurement; and nobody has to be asked whether the images
    can be had for another engine. None where there is no such cell.
    """
    for cell_id in ids:
        try:
            found = run.manifest(cell_id)
        except (UnreadableError, OSError):
            continue
        if found is not None and found.status == "ok" and found.context is not None:
            return _again(found.context.engine, images)
    return None


def _again(name: str, images: list[Image]) -> Choice | None:
    entries = dict(ranked())
    if name not in entries:
        return None
    try:
        engine = entries[name].make()
    except RepliquantError:
        return None
    if any(_unavailable(engine, image) for image in images):
        return None
    return Choice(engine, "as the run was begun; --engine names another")


def _unavailable(engine: Engine, image: Image) -> str:
    """What is wrong with an image, or with the engine meanwhile, is the image's obstacle."""
    try:
        return engine.unavailable(image)
    except RepliquantError as error:
        return str(error)
