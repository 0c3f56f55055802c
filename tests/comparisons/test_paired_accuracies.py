"""Accuracies on the same images are compared image by image, where the answers were kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from comparisons.answers import FILE, Answers, read_answers
from comparisons.differences import Difference, compare_runs, make_side
from comparisons.observations import FEW_RUNS, TWO_RUNS
from manifests.artifacts import file_sha256
from manifests.manifest import Artifact, Dataset, Inputs, Manifest, Split
from tests.comparisons.samples import measured, metric
from tests.manifests.samples import a_cell

IMAGES = 360
TRIALS = 200


def on_images(images: int, sha256: str = "0") -> Inputs:
    return Inputs(
        dataset=Dataset(
            name="digits", origin="here", classes=[], image_size=8, mean=[], std=[],
            splits={"test": Split(count=images, sha256=sha256)},
        )
    )  # fmt: skip


def a_cell_that_answered(
    folder: Path, right: Sequence[bool], repeat: int = 0, keep: bool = True, sha256: str = "0"
) -> Manifest:
    """With what it took each image for in a file."""
    cell = a_cell(repeat=repeat)
    artifacts = []
    if keep:
        (folder / cell.id).mkdir(parents=True, exist_ok=True)
        path = folder / cell.id / FILE
        labels = np.arange(len(right)) % 10
        predicted = np.where(right, labels, (labels + 1) % 10)
        images = np.arange(len(right))
        np.savez(path, images=images, labels=labels, predicted=predicted, kind=np.array("logits"))
        artifacts = [
            Artifact(
                path=FILE, kind="answers", size_bytes=path.stat().st_size, sha256=file_sha256(path)
            )
        ]
    return measured(
        cell, metric("accuracy", sum(right) / len(right)),
        inputs=on_images(len(right), sha256), artifacts=artifacts,
    )  # fmt: skip


def compared(
    folder: Path, base: Sequence[bool], new: Sequence[bool], keep: bool = True
) -> Difference:
    """One cell of two runs."""
    sides = []
    for name, right in (("base", base), ("new", new)):
        where = folder / name
        manifest = a_cell_that_answered(where, right, keep=keep)
        sides.append(make_side([(name, [manifest])], folders=[where.joinpath]))
    (line,) = compare_runs(*sides).lines
    return line


def answers(wrong: Sequence[int], count: int = IMAGES) -> list[bool]:
    mistaken = {*wrong}
    return [n not in mistaken for n in range(count)]


def test_what_one_side_alone_gets_right_decides(tmp_path: Path) -> None:
    """86.7 % and 83.3 % of 360: 13 images lost and one won."""
    base, new = answers(range(48)), answers(range(1, 61))
    line = compared(tmp_path, base, new)
    assert (line.verdict, line.p) == ("lower", pytest.approx(2 * 15 / 2**14))
    assert line.why == (
        "paired over 360 images: 13 right on the first side alone, 1 on the second alone; "
        + TWO_RUNS
    )
    unpaired = compared(tmp_path / "unpaired", base, new, keep=False)
    assert unpaired.verdict == "undecided"
    assert unpaired.why == (
        "360 test images are too few for so small a difference; not paired: no record of which "
        "images each side got right"
    )


def test_three_points_on_360_images_are_found(tmp_path: Path) -> None:
    """4 % of the images lost and 1 % won: in two comparisons of three, by pairs alone."""
    source = random.Random(3)
    found = {True: 0, False: 0}
    for trial in range(TRIALS):
        base, new = [], []
        for _ in range(IMAGES):
            draw = source.random()
            base.append(draw < 0.90 and not 0.85 <= draw < 0.86)
            new.append(draw < 0.86)
        for keep in found:
            line = compared(tmp_path / f"{trial} {keep}", base, new, keep)
            found[keep] += line.verdict == "lower"
    assert found[True] >= 0.65 * TRIALS
    assert found[False] <= 0.2 * TRIALS


def test_the_same_model_is_rarely_called_better_or_worse(tmp_path: Path) -> None:
    source, false = random.Random(4), 0
    for trial in range(TRIALS):
        draws = [source.random() for _ in range(IMAGES)]
        base = [draw < 0.85 or draw > 0.975 for draw in draws]
        new = [draw < 0.90 - 0.025 for draw in draws]
        false += compared(tmp_path / str(trial), base, new).verdict in ("higher", "lower")
    assert false <= 0.05 * TRIALS


@pytest.mark.parametrize(("count", "verdict"), [(50, "undecided"), (360, "same"), (10_000, "same")])
def test_equal_accuracies_are_the_same_only_where_images_tell(
    tmp_path: Path, count: int, verdict: str
) -> None:
    right = answers(range(count // 10), count)
    line = compared(tmp_path, right, right)
    assert (line.verdict, line.ratio) == (verdict, 1.0)
    assert line.interval is not None
    assert line.interval.low < 1 < line.interval.high


@pytest.mark.parametrize(("count", "verdict"), [(360, "undecided"), (100_000, "same")])
def test_equal_accuracies_that_are_not_paired_need_more_images(
    tmp_path: Path, count: int, verdict: str
) -> None:
    right = answers(range(count // 10), count)
    assert compared(tmp_path, right, right, keep=False).verdict == verdict


@pytest.mark.parametrize("keep", [True, False])
def test_repeats_with_one_seed_are_no_more_images(tmp_path: Path, keep: bool) -> None:
    right = answers(range(36))
    lines = []
    for repeats in (1, 8):
        sides = []
        for name in "ab":
            where = tmp_path / f"{name}{repeats}"
            cells = [a_cell_that_answered(where, right, n, keep) for n in range(repeats)]
            sides.append(make_side([(name, cells)], folders=[where.joinpath]))
        lines.append(*compare_runs(*sides).lines)
    one, many = lines
    assert one.interval == many.interval
    assert one.verdict == many.verdict


def test_trainings_that_scatter_count_as_runs(tmp_path: Path) -> None:
    """Ten points between two runs, when runs of one configuration differ by as much."""
    sides = []
    for name, wrong in (("a", (30, 60, 90)), ("b", (40, 80, 100))):
        folders = [tmp_path / f"{name}{n}" for n in range(3)]
        runs = [
            (folder.name, [a_cell_that_answered(folder, answers(range(count)))])
            for folder, count in zip(folders, wrong, strict=True)
        ]
        sides.append(make_side(runs, folders=[folder.joinpath for folder in folders]))
    (line,) = compare_runs(*sides).lines
    assert (line.verdict, line.observed) == ("undecided", "run")
    two = [side._replace(manifests=side.manifests[:2], runs=[1, 1]) for side in sides]
    (line,) = compare_runs(*two).lines
    assert (line.verdict, line.why) == ("undecided", FEW_RUNS)


def test_other_images_are_not_paired(tmp_path: Path) -> None:
    sides = []
    for name, sha256 in (("a", "0"), ("b", "1")):
        where = tmp_path / name
        cell = a_cell_that_answered(where, answers(range(36)), sha256=sha256)
        sides.append(make_side([(name, [cell])], folders=[where.joinpath]))
    (line,) = compare_runs(*sides).lines
    assert "not paired" in line.why


def test_answers_are_those_of_the_manifest_or_none(tmp_path: Path) -> None:
    right = [True, False, True]
    manifest = a_cell_that_answered(tmp_path, right)
    folder = tmp_path / manifest.id
    assert read_answers(folder, manifest) == Answers((0, 1, 2), (True, False, True))
    assert read_answers(tmp_path / "elsewhere", manifest) is None
    np.savez(folder / FILE, images=np.arange(3), labels=np.arange(3), predicted=np.arange(3))
    assert read_answers(folder, manifest) is None  # not as its manifest says


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.arange(3), "labels": np.arange(3)},
        {"images": np.arange(3), "labels": np.arange(3), "predicted": np.arange(2)},
        {"images": np.zeros(3, int), "labels": np.arange(3), "predicted": np.arange(3)},
        {"images": np.arange(3), "labels": np.arange(3), "predicted": np.arange(3.0)},
        {"images": np.arange(0), "labels": np.arange(0), "predicted": np.arange(0)},
        {"images": np.array([{}] * 3), "labels": np.arange(3), "predicted": np.arange(3)},
    ],
)
def test_what_is_no_answers_to_images_is_none(
    tmp_path: Path, arrays: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]
) -> None:
    path = tmp_path / FILE
    np.savez(path, **arrays)  # type: ignore[arg-type]
    assert read_answers(tmp_path, _of(path)) is None
    path.write_bytes(b"PK\x05\x06 no archive")
    assert read_answers(tmp_path, _of(path)) is None


def _of(path: Path) -> Manifest:
    kept = Artifact(path=FILE, kind="a", size_bytes=path.stat().st_size, sha256=file_sha256(path))
    return measured(a_cell(), metric("accuracy", 0.5), artifacts=[kept])
