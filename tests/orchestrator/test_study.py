"""study.toml: what is broken is told with file, line and key; the studies there are hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from manifests.errors import InputError
from manifests.models import MODELS
from manifests.paths import ROOT
from manifests.runner_files import technique_files
from orchestrator.planning.planner import Choices, make_plan
from papers.study import Study, load_study, study_ids
from runners.arithmetic.trial_records import ArithmeticRecipe
from runners.captions.recipes import QuantizeCaptionerRecipe, TrainCaptionerRecipe
from runners.inference import QuantizeRecipe
from runners.models.keras_applications import APPLICATIONS
from runners.models.resnet18 import NETWORKS
from runners.peak_rates import ProductRecipe
from runners.probing import ProbeRecipe
from runners.profiled import ProfiledRecipe
from runners.protocols.as_published import PublishedRecipe
from runners.protocols.rigorous import InferRecipe
from runners.training import AdamRecipe, FallingAdamRecipe, TrainRecipe
from tests.fakes.studies import write_study

STUDIES = ROOT / "studies"
RECIPES = {
    "train": TrainRecipe,
    "quantize": QuantizeRecipe,
    "infer": InferRecipe,
    "probe": ProbeRecipe,
}


def kind_of(task: str, protocol: str, recipe: dict[str, Any]) -> type:
    """What the runners read such a recipe as."""
    if "falls_to" in recipe:
        return FallingAdamRecipe
    if "optimizer" in recipe:
        return AdamRecipe
    if "side" in recipe:
        return ProductRecipe
    if recipe.keys() == {"calls"}:
        return ProfiledRecipe
    if "random_tensors" in recipe:
        return ArithmeticRecipe
    if (task, protocol) == ("infer", "as-published"):
        return PublishedRecipe
    return RECIPES[task]


def changed(folder: Path, old: str, new: str) -> Study:
    """The toy study with ``old`` replaced once."""
    path = write_study(folder) / "study.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return load_study("toy", folder / "studies")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("year = 2020", "year = = 2020", r"study\.toml:4: not TOML: .*line 4"),
        ("year = 2020", "yeer = 2020", r"study\.toml:4: yeer: .*unknown field `yeer`"),
        ("year = 2020", "year = 'then'", r"study\.toml:4: year: Expected `int`, got `str`"),
        ("repeats = 1", "repeats = 1\nbogus = 2", r"study\.toml:\d+: tiers\S*bogus: .*`bogus`"),
        ("seed = 0\n", "", r"study\.toml:\d+: axes\.seed: .*missing required field `seed`"),
        ('id = "toy"', 'id = "tool"', r"id: is 'tool', but the folder is 'toy'"),
        (
            'recipe = "train"',
            'recipe = "tain"',
            r"cells\[0\] \(train plain\): no recipe 'tain'\. Did you mean 'train'\? Accepted: "
            r"train, infer",
        ),
        (
            "estimate_s = { quick = 1 }",
            "estimate_s = { slow = 1 }",
            r"cells\[0\] \(train plain\): no estimate_s for tier 'quick'",
        ),
        (
            'framework = ["alpha", "beta"]',
            'framework = ["alpa"]',
            r"no framework 'alpa'\. Did you mean 'alpha'\?",
        ),
        ("quantize = 60.0, ", "", r"tiers\.quick\.timeout_s: no task 'quantize'"),
        (
            "repeats = 1",
            "repeats = 1\nrecipes.trein = { behave = 'ok' }",
            r"tiers\.quick\.recipes: no recipe 'trein'\. Did you mean 'train'\?",
        ),
        (
            "repeats = 1",
            "repeats = 1\nrecipes.train = { behaves = 'ok' }",
            r"tiers\.quick\.recipes\.train: no key 'behaves'\. Did you mean 'behave'\?",
        ),
    ],
)
def test_a_broken_study_is_refused_with_the_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        changed(tmp_path, old, new)


def test_an_unknown_study_names_the_nearest_and_all(tmp_path: Path) -> None:
    write_study(tmp_path)
    with pytest.raises(InputError, match=r"no study 'toi'\. Did you mean 'toy'\? Accepted: toy"):
        load_study("toi", tmp_path / "studies")


def test_an_unknown_tier_names_those_there_are(tmp_path: Path) -> None:
    study = changed(tmp_path, "toy", "toy")
    with pytest.raises(InputError, match=r"toy has no tier 'quik'\. Did you mean 'quick'\?"):
        study.tier("quik")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"ptq-eager"',
            '"ptq-eagre"',
            r"no pytorch technique 'ptq-eagre'\. Did you mean 'ptq-eager'\?",
        ),
        ('model = "resnet18"', 'model = "resnet-18"', r"no model 'resnet-18'\. Did you mean 'res"),
        (
            'technique = ["ptq-eager"]',
            'technique = ["ptq-eager"]\nvariant = ["", "min-max"]',
            r"no variant 'min-max' of pytorch technique 'ptq-eager'\. Did you mean 'minmax'\? "
            r"Accepted: minmax, moving-average",
        ),
        (
            'protocols = ["rigorous"]',
            'protocols = ["rigourous"]',
            r"protocols: no protocol 'rigourous'\. Did you mean 'rigorous'\? Accepted: as-publ",
        ),
    ],
)
def test_what_no_runner_has_is_refused_before_it_is_planned(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    shutil.copytree(STUDIES, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "lad2023" / "study.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_study("lad2023", tmp_path)


def test_the_models_that_a_study_can_name_are_those_that_runners_build() -> None:
    assert {*NETWORKS, *APPLICATIONS} == set(MODELS)


def test_a_tier_changes_only_what_it_names(tmp_path: Path) -> None:
    study = changed(tmp_path, "repeats = 1", "repeats = 1\nrecipes.infer = { seconds = 4 }")
    assert study.recipe("infer", "quick") == {"behave": "ok", "seconds": 4}
    assert study.recipe("train", "quick") == {"behave": "ok", "seconds": 0.0}


@pytest.mark.parametrize("study_id", study_ids(STUDIES))
def test_every_technique_of_a_study_exists(study_id: str) -> None:
    for group in load_study(study_id, STUDIES).cells:
        for framework in group.framework:
            assert set(group.technique) <= set(technique_files(framework))


@pytest.mark.parametrize("study_id", study_ids(STUDIES))
def test_every_recipe_of_every_tier_is_what_its_task_reads(study_id: str) -> None:
    study = load_study(study_id, STUDIES)
    for group in study.cells:
        for tier in study.tiers:
            for protocol in group.protocol or study.protocols:
                for name in group.recipes_for(protocol):
                    recipe = study.recipe(name, tier)
                    captions = group.model == ["captioner"]
                    kind = caption_kind(group.task) if captions else None
                    msgspec.convert(recipe, kind or kind_of(group.task, protocol, recipe))


def caption_kind(task: str) -> type:
    return TrainCaptionerRecipe if task == "train" else QuantizeCaptionerRecipe


@pytest.mark.parametrize("study_id", study_ids(STUDIES))
def test_every_image_of_a_study_exists(study_id: str) -> None:
    for name in load_study(study_id, STUDIES).image_names():
        assert (ROOT / "images" / name / "image.toml").is_file()


@pytest.mark.parametrize("study_id", study_ids(STUDIES))
@pytest.mark.parametrize("protocol", ["rigorous", "as-published"])
def test_every_tier_of_a_study_can_be_planned(study_id: str, protocol: str) -> None:
    from orchestrator.planning.estimates import Estimates

    study = load_study(study_id, STUDIES)
    if protocol not in study.protocols:
        return
    for tier in study.tiers:
        choices = Choices(tier, protocol, "digits")  # type: ignore[arg-type]
        plan = make_plan(study, choices, Estimates(Path("/nonexistent")), gpus=0)
        found = [planned.id for planned in plan.cells]
        assert len(found) == len(set(found)) > 0


@pytest.mark.parametrize("study", ["lad2023", "shafique2023"])
def test_tiers_are_summed_up_without_a_run(study: str) -> None:
    for name, tier in load_study(study).tiers.items():
        assert "{" not in tier.summary
        assert ("on the embedded digits" in tier.summary) == (name == "quick")
