"""Published weights: fetched on the host, checked, and never replaced by random ones."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

from manifests.codec import encode_manifest, read_manifest
from manifests.errors import InputError, MachineError
from manifests.manifest import CodeVersion, Context, ImageUsed
from manifests.plan import PlannedCell
from manifests.pretrained import Pretrained
from orchestrator.datasets import pretrained
from orchestrator.datasets.pack import quiet
from orchestrator.engines.base import Order
from orchestrator.engines.docker import settings
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from orchestrator.running.orders import launch_order
from papers.study import load_study
from tests.conftest import Workshop
from tests.fakes.web import serving
from tests.runners.samples import a_cell

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
WEIGHTS = b"what a publisher would call weights"
FILE = "mobilenet_1_0_128_tf_no_top.h5"


@pytest.mark.parametrize(
    ("model", "size", "file", "digest"),
    [
        ("vgg16", 48, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
         "md5:6d6bbae143d832006294945121d1f1fc"),
        ("resnet50", 48, "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
         "md5:4d473c1dd8becc155b73f8504c6f6626"),
        ("mobilenet-v1", 48, "mobilenet_1_0_224_tf_no_top.h5", ""),
        ("mobilenet-v1", 128, FILE, ""),
    ],
)  # fmt: skip
def test_the_file_is_the_one_that_keras_itself_takes(
    model: str, size: int, file: str, digest: str
) -> None:
    found = pretrained.remote(a_cell(framework="tensorflow", model=model, image_size=size))
    assert (found.name, found.digest) == (file, digest)
    assert found.url.startswith("https://storage.googleapis.com/tensorflow/keras-applications/")


def test_a_cell_for_which_no_published_file_fits_is_skipped_with_the_reason() -> None:
    recipe = {"weights": "imagenet"}
    pytorch = a_cell(model="vgg16", recipe=recipe)
    assert "published by Keras alone" in pretrained.obstacle(pytorch)
    other = a_cell(framework="tensorflow", model="resnet18", recipe=recipe)
    assert pretrained.obstacle(other) == (
        "no ImageNet weights are known for resnet18. Accepted: vgg16, resnet50, mobilenet-v1"
    )
    for cell in (
        a_cell(framework="tensorflow", model="vgg16", recipe=recipe),
        a_cell(model="vgg16", recipe={"weights": "none"}),
        a_cell(model="vgg16"),
        a_cell(model="vgg16", recipe=recipe, weights_from="0123456789ab"),
    ):
        assert pretrained.obstacle(cell) == ""


def test_the_paper_tier_wants_four_files_and_the_quick_one_none(tmp_path: Path) -> None:
    study = load_study("shafique2023")
    wanted = {}
    for tier in ("quick", "short", "paper"):
        plan = make_plan(study, Choices(tier, None, ""), Estimates(tmp_path / "none"), 1)
        cells = [planned.cell for planned in plan.cells]
        wanted[tier] = {one.name for one in pretrained.to_fetch(cells, tmp_path)}
    assert wanted["quick"] == wanted["short"] == set()
    assert len(wanted["paper"]) == 4


def test_a_folder_for_the_cell_is_made_of_a_checked_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = a_cell(framework="tensorflow", model="mobilenet-v1", image_size=128,
                  recipe={"weights": "imagenet"})  # fmt: skip
    with serving() as web:
        web.files[f"/mobilenet/{FILE}"] = WEIGHTS
        monkeypatch.setattr(pretrained, "_BASE", web.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        pretrained.prepare_pretrained([cell], tmp_path, quiet)
        assert pretrained.to_fetch([cell], tmp_path) == []
    folder = pretrained.folder_of(cell, tmp_path)
    meta = msgspec.json.decode((folder / "meta.json").read_bytes(), type=Pretrained)
    assert (folder / meta.file).read_bytes() == WEIGHTS
    assert meta.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert meta.checked.startswith("SHA-256 as first seen on ")


def test_a_file_with_another_md5_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = a_cell(framework="tensorflow", model="vgg16", recipe={"weights": "imagenet"})
    remote = pretrained.remote(cell)
    monkeypatch.setattr(
        pretrained, "remote", lambda cell: remote._replace(url=f"{web.url}/w.h5", size_bytes=None)
    )
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as web, pytest.raises(InputError, match=r"its MD5 is .* \(Keras' source, appl"):
        web.files["/w.h5"] = WEIGHTS
        pretrained.prepare_pretrained([cell], tmp_path, quiet)


def test_engines_hand_the_folder_over(tmp_path: Path) -> None:
    order = Order("run", "cell", tmp_path, None, None, 1, pretrained=tmp_path / "weights")
    cell = a_cell()
    planned = PlannedCell(
        id=cell.id, cell=cell, image="alpha", needs=[], estimate_s=1, study_estimate_s=1,
        estimate_source="a test", timeout_s=9,
    )  # fmt: skip
    context = Context(
        engine="local", image=ImageUsed(name="alpha", kind="venv"),
        kit=CodeVersion(version="0", commit=None, dirty=None), run="run", attempt=1, command=[],
    )  # fmt: skip
    handed = launch_order(planned, order, context, outlives=False)
    assert handed.pretrained == str(tmp_path / "weights") and handed.timeout_s == 9
    assert settings.targets(order)["/pretrained"] == (tmp_path / "weights", True)
    inside = settings._command(order)
    assert inside[inside.index("--pretrained") + 1] == "/pretrained"


@pytest.fixture
def wanting(workshop: Workshop) -> Workshop:
    """A study whose trainings start from MobileNet_v1's weights, and no network."""
    path = workshop.folder / "studies" / "toy" / "study.toml"
    text = path.read_text().replace('model = "none"', 'model = "mobilenet-v1"')
    text = text.replace("image_size = 8", "image_size = 128")
    path.write_text(text.replace("[recipes.train]", '[recipes.train]\nweights = "imagenet"'))
    for name in ("https_proxy", "HTTPS_PROXY"):
        workshop.environment[name] = "http://127.0.0.1:9"
    return workshop


def _place(workshop: Workshop, content: bytes) -> Path:
    folder = workshop.folder / "cache" / "pretrained" / FILE.removesuffix(".h5")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    return folder


def test_without_a_network_nothing_runs(wanting: Workshop) -> None:
    assert f"weights to download: {FILE}" in " ".join(wanting("plan", "toy").stdout.split())
    done = wanting.run(status=3)
    told = " ".join(done.stderr.split())
    assert "ImageNet weights of mobilenet-v1 can't be fetched from https://storage" in told
    assert f"Put {FILE} into" in told and "tier without pretrained weights" in told
    assert wanting.executed() == []
    assert wanting.manifests() == []


def test_a_file_that_was_put_there_is_used_and_stands_in_the_manifest(wanting: Workshop) -> None:
    _place(wanting, WEIGHTS)
    wanting.run()
    trained = [m for m in map(read_manifest, wanting.manifests()) if m.cell.task == "train"]
    assert len(trained) == 2
    for manifest in trained:
        assert manifest.inputs.weights == f"ImageNet, {FILE}"
        assert manifest.inputs.weights_file_sha256 == hashlib.sha256(WEIGHTS).hexdigest()
        assert manifest.inputs.weights_checked.startswith("SHA-256 as first seen on ")
    told = wanting("show", trained[0].id).stdout
    assert "SHA-256 as first seen" in " ".join(told.split())


@pytest.mark.thorough
def test_a_file_that_changed_since_is_not_used(wanting: Workshop) -> None:
    _place(wanting, WEIGHTS)
    wanting.run()
    _place(wanting, WEIGHTS + b"!")
    done = wanting.run("--rerun", "ok", status=3)
    assert "can't be fetched" in " ".join(done.stderr.split())
    assert len(wanting.executed()) == 6


@pytest.mark.thorough
def test_a_finished_run_needs_no_weights_any_more(wanting: Workshop) -> None:
    folder = _place(wanting, WEIGHTS)
    wanting.run()
    shutil.rmtree(folder)
    wanting.run()
    assert len(wanting.executed()) == 6


def test_a_cell_that_once_started_from_random_weights_is_run_again(wanting: Workshop) -> None:
    _place(wanting, WEIGHTS)
    wanting.run()
    for path in wanting.manifests():
        manifest = read_manifest(path)
        if manifest.cell.task == "train":
            inputs = msgspec.structs.replace(manifest.inputs, weights="none: no network")
            path.write_bytes(encode_manifest(msgspec.structs.replace(manifest, inputs=inputs)))
    done = wanting.run()
    assert "it did not start from the published weights" in " ".join(done.stderr.split())
    assert len(wanting.executed()) == 12


def test_a_cache_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pretrained").write_text("in the way")
    cell = a_cell(framework="tensorflow", model="vgg16", recipe={"weights": "imagenet"})
    with pytest.raises(MachineError, match="can't be written to"):
        pretrained.prepare_pretrained([cell], tmp_path, quiet)
