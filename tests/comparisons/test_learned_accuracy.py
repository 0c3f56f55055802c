"""Tables 10 and 11 of shafique2023 on a processor: what stands in for them, and in which tiers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from comparisons.claims import Judged, judge, load_claims
from comparisons.comparison import compare_tables
from manifests.manifest import Manifest
from manifests.paths import ROOT
from orchestrator.planning.planner import Choices, draft
from papers.published import load_published
from papers.study import load_study
from tests.comparisons.answers import first_wrong
from tests.comparisons.samples import a_plan
from tests.manifests.samples import a_cell

STUDY = ROOT / "studies" / "shafique2023"
FIELDS: dict[str, Any] = {"study": "shafique2023", "framework": "tensorflow", "image_size": 32,
                          "batch_size": 32, "seed": 0, "model": "mobilenet-v1"}  # fmt: skip


def learned(float32: int, int8: int, amp_float32: int, amp_int8: int) -> list[Manifest]:
    """Wrong answers of 2,000, after training in float32 and with AMP."""
    made = []
    pairs = {"float32": (float32, int8), "amp-bfloat16": (amp_float32, amp_int8)}
    for training, wrong in pairs.items():
        trained = first_wrong(a_cell(**FIELDS, task="train", technique=training), wrong[0])
        made.append(trained)
        for technique, count in zip(("tflite-float32", "ptq-tflite"), wrong, strict=True):
            cell = a_cell(
                **FIELDS, task="quantize", technique=technique, weights_from=trained.cell.id
            )
            made.append(first_wrong(cell, count))
    return made


def judged(manifests: list[Manifest], claim: str, tier: str = "quick") -> Judged:
    plan = a_plan(*(manifest.cell for manifest in manifests))
    plan = msgspec.structs.replace(plan, study="shafique2023")
    published = load_published(STUDY)
    found = compare_tables(published, plan, manifests, "r")
    (made,) = judge(load_claims(STUDY), published, found, tier, claim, None, manifests)
    return made


@pytest.mark.parametrize(
    ("lost", "word"),
    [(0, "holds here"), (10, "holds here"), (30, "undecided"), (80, "does not hold here")],
)
def test_int8_may_lose_one_and_a_half_points_of_2000_images(lost: int, word: str) -> None:
    found = judged(learned(100, 100 + lost, 100, 100), "accuracy-drops-slightly")
    assert found.stand_in is not None and found.stand_in.state == word


def test_after_amp_int8_may_lose_no_more_than_after_float32() -> None:
    steadier = judged(learned(100, 180, 100, 100), "amp-steadies-accuracy")
    assert steadier.stand_in is not None and steadier.stand_in.state == "holds here"
    worse = judged(learned(100, 100, 100, 180), "amp-steadies-accuracy")
    assert worse.stand_in is not None and worse.stand_in.state == "does not hold here"


def test_the_claim_itself_needs_the_papers_tier_and_what_stands_in_has_its_own() -> None:
    found = judged(learned(100, 100, 100, 100), "accuracy-drops-slightly")
    needs = "tier quick spends too little for it; needs paper"
    assert (found.measured.state, found.measured.reason) == ("not measured", needs)
    paper = judged(learned(100, 100, 100, 100), "accuracy-drops-slightly", "paper")
    assert paper.stand_in is not None
    assert paper.stand_in.reason == "tier paper spends too little for it; needs quick or short"


@pytest.mark.parametrize(
    ("tier", "models"),
    [
        ("quick", {"mobilenet-v1"}),
        ("short", {"vgg16", "resnet50", "mobilenet-v1"}),
        ("paper", set()),
    ],
)
def test_quick_trains_the_smallest_and_the_papers_tier_none_of_them(
    tier: str, models: set[str]
) -> None:
    cells = [one.cell for one in draft(load_study("shafique2023"), Choices(tier, None, "digits"))]
    at_32 = [one for one in cells if (one.image_size, one.framework) == (32, "tensorflow")]
    assert {cell.model for cell in at_32} == models
    assert len(at_32) == 6 * len(models)
