"""A run's folder belongs to one study, tier and data set; a changed recipe is told apart."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from manifests.codec import read_struct
from manifests.plan import Plan
from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import ids, statuses, the_run

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]


def test_a_changed_recipe_keeps_the_earlier_plan_and_runs_the_new_cells(
    finished: Workshop,
) -> None:
    before = ids(finished)
    write_study(finished.folder, behave="fine")
    finished.run()

    after = ids(finished)
    changed = [title for title in after if after[title] != before[title]]
    assert changed == [title for title in after if "infer" in title]
    assert finished.executed()[6:] == [after[title] for title in changed]
    (kept,) = the_run(finished).folder.glob("plan.until-*.json")
    assert re.fullmatch(r"plan\.until-\d{8}T\d{6}\.\d{6}Z\.json", kept.name)
    assert [planned.id for planned in read_struct(kept, Plan).cells] == list(before.values())
    assert statuses(finished) == ["ok"] * 6


def test_the_same_plan_is_not_kept_twice(finished: Workshop) -> None:
    finished.run()
    assert list(the_run(finished).folder.glob("plan.until-*")) == []


def test_a_finished_run_is_left_as_it_is_by_what_was_learned_of_its_cells_since(
    finished: Workshop,
) -> None:
    """What is made from the plan (report, tables) stays newer than it."""
    plan = the_run(finished).plan_path
    before, content = plan.stat().st_mtime_ns, plan.read_bytes()
    assert b'"estimate_source": "the study"' in content  # a history says otherwise by now
    finished.run()
    assert (plan.stat().st_mtime_ns, plan.read_bytes()) == (before, content)


def test_another_tier_in_the_same_folder_is_refused(workshop: Workshop) -> None:
    study = workshop.folder / "studies" / "toy" / "study.toml"
    text = study.read_text()
    slow = text[text.index("[tiers.quick]") : text.index("[[cells]]")]
    text = text.replace("[[cells]]", slow.replace("quick", "slow") + "[[cells]]", 1)
    study.write_text(text.replace("{ quick = 1 }", "{ quick = 1, slow = 1 }"))
    workshop.run("-k", "alpha and train")
    folder = str(the_run(workshop).folder)

    told = workshop.run("--tier", "slow", "--run", folder, status=2).stderr
    assert f"{folder} holds a run with tier quick; this one has slow" in told
    assert "Choose another folder with --run" in told
    assert len(workshop.executed()) == 1


def test_another_data_set_in_the_same_folder_is_refused(finished: Workshop) -> None:
    pictures = finished.folder / "mine"
    _pictures(finished, 10)
    told = finished.run(
        "--data-dir", str(pictures), "--run", str(the_run(finished).folder), status=2
    ).stderr
    assert "holds a run with data set digits; this one has mine" in told


def test_images_at_a_further_size_belong_to_the_same_run(finished: Workshop) -> None:
    """A study that learns at another size than before, or an experiment that does, goes on."""
    study = finished.folder / "studies" / "toy" / "study.toml"
    small = 'recipe = "train"\nbatch_size = [2, 4]\ninstead.quick = { image_size = [8, 16] }\n'
    text = study.read_text().replace('recipe = "train"\n', small, 1)
    text = text.replace(
        'weights = { task = "train" }', 'weights = { task = "train", batch_size = 2 }'
    )
    study.write_text(text)
    finished.run()
    packs = the_run(finished).plan().packs
    assert sorted(packs) == ["digits at 16 x 16", "digits at 8 x 8"]
    assert len(finished.executed()) == 6 + 6  # none of the earlier cells again


def test_changed_pixels_under_the_same_name_are_refused(workshop: Workshop) -> None:
    _pictures(workshop, 10)
    only = ("-k", "alpha and train", "--data-dir", str(workshop.folder / "mine"))
    workshop.run(*only)
    _pictures(workshop, 20)
    told = workshop.run(*only, status=2).stderr
    assert "holds a run with images of SHA-256" in told
    assert len(workshop.executed()) == 1


def _pictures(workshop: Workshop, brightness: int) -> None:
    for split in ("train", "test"):
        for label, name in enumerate(("a", "b")):
            folder = workshop.folder / "mine" / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(3):
                grey = np.full((8, 8, 3), brightness + label, np.uint8)
                Image.fromarray(grey).save(folder / f"{number}.png")


@pytest.mark.parametrize("content", [b"", b'{"schema": "repliquant/pl', b"null", b"\xff\xfe"])
def test_a_plan_that_cannot_be_read_is_refused_and_left_alone(
    workshop: Workshop, content: bytes
) -> None:
    folder = workshop.runs / "toy-quick-digits"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_bytes(content)
    told = workshop.run(status=2).stderr
    assert f"{folder / 'plan.json'}: is not a plan" in told
    assert "Choose another folder with --run, or remove the file" in told
    assert (folder / "plan.json").read_bytes() == content
    assert workshop.executed() == []
