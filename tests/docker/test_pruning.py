"""Untagged stages of our builds go when somebody asks for it, and nothing else ever."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator

import pytest

from orchestrator.engines.docker.daemon import Daemon
from tests.docker.conftest import BASE, DockerWorkshop
from tests.docker.own_images import Images

pytestmark = pytest.mark.docker


@pytest.fixture
def images(private_workshop: DockerWorkshop, daemon: Daemon) -> Iterator[Images]:
    """On an engine of the tests' own, so that nobody else's build loses its layers."""
    private = private_workshop.daemon.client
    if not private.images.list(BASE):
        private.api.load_image(daemon.client.api.get_image(BASE))
    made = Images(private_workshop)
    yield made
    made.remove()


def prune(images: Images, *options: str, status: int = 0) -> str:
    return str(images.workshop("images", "prune", *options, status=status).stdout)


def somebody_elses(images: Images) -> str:
    """The id of an untagged image that no build of ours made."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("theirs"))
    said = images.client.api.import_image_from_data(file.getvalue(), changes=["LABEL theirs=1"])
    return str(json.loads(said.splitlines()[-1])["status"])


def ids(images: Images) -> set[str]:
    return {str(image["Id"]) for image in images.client.api.images(all=True)}


def test_what_builds_leave_is_shown_and_goes_when_asked_and_nothing_else(images: Images) -> None:
    before = ids(images)
    images.build()
    theirs = somebody_elses(images)
    left = json.loads(prune(images, "--json", "--older-than", "0"))
    assert left["pruned"] is None
    assert "alpha" in {each["image"] for each in left["left"]}
    shown = prune(images, "--older-than", "0")
    assert "Nothing was removed. To remove it: repliquant images prune --yes" in shown
    assert "Builds have left nothing" in prune(images), "what is new may belong to a build"

    told = prune(images, "--yes", "--older-than", "0")
    assert told.startswith("removed ")
    assert "freed" in told
    after = ids(images)
    assert theirs in after
    assert images.state() == "ready"
    assert {id for id in before if images.client.images.get(id).tags} <= after
    assert not {each["id"] for each in left["left"]} & after
    assert prune(images, "--older-than", "0") == "Builds have left nothing\n"
    images.client.images.remove(theirs)


@pytest.mark.thorough
def test_what_a_container_uses_is_kept_and_said(images: Images) -> None:
    images.build()
    left = json.loads(prune(images, "--json", "--older-than", "0"))["left"][0]
    container = images.client.containers.create(left["id"], command=["true"])
    try:
        told = images.workshop("images", "prune", "--yes", "--older-than", "0", status=1)
    finally:
        container.remove()
    assert f"kept: {left['image']}: conflict" in told.stderr
    assert left["id"] in ids(images)


def test_a_build_into_a_pipe_prints_its_steps_as_plain_lines(images: Images) -> None:
    done = images.build()
    steps = [line for line in done.stderr.splitlines() if line.startswith("alpha: Step ")]
    count = len(steps)
    assert count > 5
    assert steps[0].startswith(f"alpha: Step 1/{count} : ")
    assert steps[-1].startswith(f"alpha: Step {count}/{count} : ")
    assert "\x1b" not in done.stderr


def test_the_base_that_was_really_used_is_recorded(images: Images) -> None:
    images.build()
    base = images.client.images.get(BASE).id
    assert images.inspected()["Config"]["Labels"]["repliquant.base-digest"] == base
