"""The engine ``auto``: the first in rank that lacks no image, and why."""

from __future__ import annotations

from typing import NamedTuple

from manifests.errors import RepliquantError
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


def _unavailable(engine: Engine, image: Image) -> str:
    """What is wrong with an image, or with the engine meanwhile, is the image's obstacle."""
    try:
        return engine.unavailable(image)
    except RepliquantError as error:
        return str(error)
