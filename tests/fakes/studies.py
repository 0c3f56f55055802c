"""Writing small studies and images into a folder."""

from collections.abc import Sequence
from pathlib import Path

STUDY = """\
id = "toy"
title = "A toy"
authors = ["A. Nobody"]
year = 2020
where = "nowhere"
about = "cells that need no framework"
protocols = ["rigorous"]

[axes]
model = "none"
image_size = 8
batch_size = 2
seed = 0

[images]
alpha = "{image}"
beta = "beta"

[recipes.train]
behave = "ok"
seconds = {seconds}

[recipes.infer]
behave = "{behave}"
seconds = {seconds}
{more}

[tiers.quick]
about = "at once"
dataset = "digits"
repeats = {repeats}
timeout_s = {{ train = {timeout}, quantize = {timeout}, infer = {timeout} }}

[[cells]]
task = "train"
framework = ["alpha", "beta"]
technique = ["plain"]
device = ["{train_device}"]
recipe = "train"
estimate_s = {{ quick = 1 }}

[[cells]]
task = "infer"
framework = ["alpha", "beta"]
technique = ["plain"]
batch_size = {batch_sizes}
device = ["{device}"]
recipe = "infer"
weights = {{ task = "train" }}
estimate_s = {{ quick = 1 }}

[[unspecified]]
what = "all of it"
choice = "none"
why = "a toy"
"""

TABLES = """\
[[table]]
id = "table1"
title = "Latency"
place = "Table I"
data = "table1.csv"
key = ["framework"]

[[table.column]]
name = "latency"
label = "latency"
unit = "ms"
metric = "latency_s"
select.any = { task = "infer", batch_size = 1 }
"""

IMAGE = """\
name = "{name}"
framework = "{name}"
about = "nothing"
python = ["3.11", "3.12", "3.13"]
install_dependencies = true
download_mb = 0
disk_mb = 1
"""


def write_study(
    folder: Path,
    behave: str = "ok",
    seconds: float = 0.0,
    repeats: int = 1,
    timeout: float = 60.0,
    image: str = "alpha",
    more: str = "",
    train_device: str = "cpu",
    device: str = "cpu",
    batch_sizes: Sequence[int] = (1, 2),
) -> Path:
    """A study ``toy`` of six cells (two training, four inference); returns its folder.

    ``more`` are further lines of the inference cells' recipe, ``device`` and ``batch_sizes``
    are theirs as well.
    """
    study = folder / "studies" / "toy"
    (study / "published").mkdir(parents=True, exist_ok=True)
    (study / "study.toml").write_text(
        STUDY.format(
            behave=behave,
            seconds=seconds,
            repeats=repeats,
            timeout=timeout,
            image=image,
            more=more,
            train_device=train_device,
            device=device,
            batch_sizes=list(batch_sizes),
        )
    )
    (study / "claims.toml").write_text("claim = []\n")
    (study / "published" / "tables.toml").write_text(TABLES)
    (study / "published" / "table1.csv").write_text("framework,latency\nalpha,4\nbeta,~8\n")
    for name in ("alpha", "beta", "broken"):
        write_image(folder, name)
    return study


def write_image(folder: Path, name: str, requirements: str = "", verify: str = "") -> Path:
    """An image whose lock is ``requirements``; returns its folder."""
    image = folder / "images" / name
    image.mkdir(parents=True, exist_ok=True)
    (image / "image.toml").write_text(IMAGE.format(name=name))
    (image / "requirements.txt").write_text(requirements)
    (image / "verify.py").write_text(verify or "print('ok: nothing to check')\n")
    return image


CLAIMS = """\
[[claim]]
id = "fast"
place = "Table I"
text = "Alpha is fast."
table = "table1"
test = "table1.latency[framework=alpha] <= tolerance"
tolerance = 5

[[claim]]
id = "beta-slower"
place = "Table I"
text = "Beta takes twice as long."
table = "table1"
test = "table1.latency[framework=beta] > table1.latency[framework=alpha]"

[[claim]]
id = "liked"
place = "section 1"
text = "Everybody likes it."
table = "table1"
untestable = "nobody was asked"
"""
