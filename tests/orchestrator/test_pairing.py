"""Images and GPUs: a wrong pairing is refused before anything is fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from manifests.errors import InputError
from manifests.paths import ROOT
from orchestrator.environments.images import image_names, load_image
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.gpu_compat import Pairing, obstacle, pair
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study

OLD, NEW = (load_image(name) for name in ("tensorflow-22.03", "tensorflow-25.02"))
TORCH = [load_image(name) for name in ("pytorch-25.02", "pytorch-25.12")]


@pytest.mark.parametrize(
    ("image", "capability", "chosen"),
    [
        ("pascal", "6.1", "tensorflow-22.03"),
        ("the paper's Quadro RTX 4000", "7.5", "tensorflow-22.03"),
        ("A100", "8.0", "tensorflow-22.03"),
        ("L4", "8.9", "tensorflow-25.02"),
        ("H100", "9.0", "tensorflow-25.02"),
        ("B200", "10.0", "tensorflow-25.02"),
        ("unknown", "", "tensorflow-22.03"),
    ],
)
def test_the_first_image_that_knows_the_gpu_is_chosen(
    image: str, capability: str, chosen: str
) -> None:
    assert pair([OLD, NEW], capability) == Pairing(chosen)


@pytest.mark.parametrize(
    ("gpu", "capability", "chosen"),
    [
        ("T4", "7.5", "pytorch-25.02"),
        ("H100", "9.0", "pytorch-25.02"),
        ("B200", "10.0", "pytorch-25.02"),
        ("B300: CUDA 12.9 is the first to know it", "10.3", "pytorch-25.12"),
        ("RTX 5090", "12.0", "pytorch-25.02"),
        ("GB10: runs what is built for 12.0", "12.1", "pytorch-25.02"),
    ],
)
def test_a_gpu_that_came_later_gets_the_newer_image(gpu: str, capability: str, chosen: str) -> None:
    assert pair(TORCH, capability) == Pairing(chosen)


def test_a_number_between_two_that_are_known_is_not_known_by_that() -> None:
    told = obstacle(NEW, "10.3")
    assert "can't serve a GPU of compute capability 10.3" in told and "as 10.0 and 12.0" in told
    assert obstacle(TORCH[0], "10.3").endswith("Use pytorch-25.12 instead")
    assert obstacle(OLD, "6.9") and obstacle(NEW, "11.0") and obstacle(NEW, "8.10")


@pytest.mark.parametrize("text", ["8.9-8.0", "8.0-9.0", "9", "9.x", "", "-8.0", "8.0-8.9-9.0"])
def test_a_range_that_says_nothing_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    shutil.copytree(NEW.folder, tmp_path / NEW.name)
    file = tmp_path / NEW.name / "image.toml"
    file.write_text(file.read_text().replace('"8.0-8.9"', f'"{text}"'))
    with pytest.raises(InputError, match=r"image\.toml.*(capabilities|compute capability)"):
        load_image(NEW.name, tmp_path)


def test_tensorrt_8_2_on_hopper_is_refused_with_the_image_to_use_instead() -> None:
    assert obstacle(OLD, "9.0") == (
        "image tensorflow-22.03 can't serve a GPU of compute capability 9.0: TensorRT 8.2.3 and "
        "CUDA 11.6 know no GPU newer than Ampere. Use tensorflow-25.02 instead"
    )


def test_no_image_for_a_gpu_is_an_obstacle_of_its_cells() -> None:
    found = pair([OLD, NEW], "3.5")
    assert found.image == "tensorflow-22.03" and "3.5" in found.obstacle
    study = load_study("shafique2023", ROOT / "studies")
    plan = make_plan(
        study, Choices("quick", None, "digits"), Estimates(Path("/nonexistent")), 1,
        {"tensorflow": found},
    )  # fmt: skip
    skips = {p.skip for p in plan.cells if p.cell.device == "gpu"}
    assert skips == {"", found.obstacle}
    assert not [p for p in plan.cells if p.cell.device == "cpu" and p.skip]


def test_the_images_that_limits_name_exist() -> None:
    for name in image_names():
        limits = load_image(name).file.gpu
        assert limits is None or limits.instead in ("", *image_names())


def test_an_image_without_limits_serves_all() -> None:
    assert obstacle(load_image("pytorch-cpu"), "12.0") == ""
