"""What builds have left in a daemon's store: untagged stages and layers that carry our label.

Every layer of a build is labelled right after its FROM, so whatever has the label and no name was
made by a build of ours, and the base below it never has it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from docker.errors import APIError, ImageNotFound

from manifests import paths
from orchestrator.engines.docker.build_context import IMAGE_LABEL
from orchestrator.engines.docker.daemon import Daemon
from orchestrator.file_lock import HeldError, exclusive


class Leftover(NamedTuple):
    """An untagged image; ``own_bytes`` is what no other image has (None: unknown)."""

    id: str
    image: str
    created: str
    own_bytes: int | None


class Pruned(NamedTuple):
    """``removed`` counts layers too; ``kept`` says why something was left alone."""

    removed: int
    freed_bytes: int
    kept: list[str]


def leftovers(daemon: Daemon, older_than_s: float) -> list[Leftover]:
    """What a prune would remove, the largest first."""
    used = {image["Id"]: image for image in daemon.client.api.df()["Images"] or []}
    found = []
    for image in _dangling(daemon, older_than_s):
        known = used.get(image["Id"], {})
        shared, size = known.get("SharedSize", -1), known.get("Size", image["Size"])
        own = size - shared if shared >= 0 else None
        name, created = image["Labels"][IMAGE_LABEL], str(image["Created"])
        found.append(Leftover(image["Id"], name, created, own))
    return sorted(found, key=lambda each: -(each.own_bytes or 0))


def prune(daemon: Daemon, older_than_s: float) -> Pruned:
    """Remove them, from the last layer of each to its base; the base and all others stay."""
    before = daemon.client.api.df()["LayersSize"]
    removed: set[str] = set()
    kept: dict[str, str] = {}
    while todo := [
        i for i in _dangling(daemon, older_than_s) if i["Id"] not in kept and i["Id"] not in removed
    ]:
        for image in todo:
            why = _remove(daemon, image["Id"], image["Labels"][IMAGE_LABEL])
            if why:
                kept[image["Id"]] = why
            else:
                removed.add(image["Id"])
    freed = before - daemon.client.api.df()["LayersSize"]
    return Pruned(len(removed), max(0, freed), sorted(set(kept.values())))


def _dangling(daemon: Daemon, older_than_s: float) -> list[dict[str, Any]]:
    """Untagged images of ours from which no other image was made.

    Another user's build may be going on: what is new may be its latest layer.
    """
    filters = {"label": IMAGE_LABEL, "dangling": True}
    found: list[dict[str, Any]] = daemon.client.api.images(filters=filters)
    newest = time.time() - older_than_s
    return [image for image in found if image["Created"] <= newest]


def _remove(daemon: Daemon, id: str, image: str) -> str:
    """Why the image was not removed; empty when it is gone."""
    try:
        with _no_build_of(image):
            daemon.client.api.remove_image(id, noprune=True)
    except HeldError as error:
        return f"{image} is being built by {error.holder}"
    except ImageNotFound:
        return ""
    except APIError as error:
        return f"{image}: {error.explanation}"
    return ""


@contextlib.contextmanager
def _no_build_of(image: str) -> Iterator[None]:
    """A build's newest layer has no name either. Raises HeldError while one is going on."""
    lock = paths.cache() / "images" / f"{image}.lock"
    if not lock.exists():
        yield
        return
    with exclusive(lock):
        yield
