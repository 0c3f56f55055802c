"""A study whose cells fail in every way there is, and images that can't run any."""

from __future__ import annotations

from pathlib import Path

from tests.docker.conftest import write_images
from tests.fakes.studies import write_image, write_study

STUDY = """\
id = "toy"
title = "Faults"
authors = ["A. Nobody"]
year = 2020
where = "nowhere"
about = "cells that fail"
protocols = ["rigorous"]
unspecified = []

[axes]
model = "none"
image_size = 8
batch_size = 1
seed = 0

[images]
alpha = "alpha"
doomed = "doomed"
headless = "headless"
pythonless = "pythonless"

[tiers.quick]
about = "at once"
dataset = "digits"
repeats = 1
timeout_s = {{ train = {timeout}, quantize = 300, infer = 300 }}

[recipes.bad-image]
behave = "ok"
"""

GROUP = """
[recipes.{behave}]
behave = "{behave}"
seconds = {seconds}

[[cells]]
task = "{task}"
framework = ["alpha"]
technique = ["plain"]
batch_size = {batches}
recipe = "{behave}"
estimate_s = {{ quick = 1 }}
"""

BAD_IMAGES = """
[[cells]]
task = "infer"
framework = ["doomed", "headless", "pythonless"]
technique = ["plain"]
batch_size = {batches}
recipe = "bad-image"
estimate_s = {{ quick = 1 }}
"""

AT_ONCE = (
    "ok", "crash", "unsupported", "memory", "child-memory", "lost-child", "ends-with-child",
    "killed", "segfault", "status-161", "traps",
)  # fmt: skip
BY_THE_CLOCK = ("sleeps", "deaf")
BY_HAND = ("waits", "lost-child-waits")


def write_faults(folder: Path, count: int, timeout_s: float) -> None:
    """``count`` cells of each kind.

    Those that end by themselves are ``infer`` cells, those that run out of time ``train``
    cells, and those that wait to be killed by hand ``quantize`` cells.
    """
    write_study(folder)
    text = STUDY.format(timeout=timeout_s)
    batches = list(range(1, count + 1))
    for task, kinds, seconds in (
        ("infer", AT_ONCE, 0),
        ("train", BY_THE_CLOCK, 600),
        ("quantize", BY_HAND, 600),
    ):
        for behave in kinds:
            text += GROUP.format(task=task, behave=behave, seconds=seconds, batches=batches)
    text += BAD_IMAGES.format(batches=batches)
    (folder / "studies" / "toy" / "study.toml").write_text(text)
    write_bad_images(folder)


def write_bad_images(folder: Path) -> None:
    """``headless`` has no entry point, ``pythonless`` no Python on its path.

    ``doomed`` is good, and no other workshop has the same, so that it can be removed.
    """
    for name in ("doomed", "headless", "pythonless"):
        write_image(folder, name)
    write_images(folder, "alpha", "doomed", "headless", "pythonless")
    for name, old, new in (
        ("doomed", "USER", f"LABEL of={folder}\nUSER"),
        ("headless", 'ENTRYPOINT ["python", "-m", "runners.container_init"]', "ENTRYPOINT []"),
        ("pythonless", "USER", "ENV PATH=/nowhere\nUSER"),
    ):
        dockerfile = folder / "images" / name / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text().replace(old, new))
