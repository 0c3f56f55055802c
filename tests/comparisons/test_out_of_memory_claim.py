"""shafique2023's claim about 8 GB, and its stand-in: cells under a limit of memory."""

from __future__ import annotations

import msgspec
import pytest

from comparisons.claims import Judged, load_claims
from comparisons.results import gather
from manifests.manifest import Manifest
from manifests.paths import ROOT
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

FOLDER = ROOT / "studies" / "shafique2023"
CLAIM = "amp-fits-where-float32-does-not"
FITS, OOM = ("ok", ""), ("oom", "at the limit of 8 GiB: out of memory: no more")
CRASH = ("crashed", "RuntimeError: could not create a primitive")
FEW = ("unsupported", "memory was to be limited to 8 GiB; all there is here is less: 7 GiB")


def judged(
    ends: dict[tuple[str, str], tuple[str, str]], experiments: tuple[str, ...] = ("memory-limit",)
) -> Judged:
    """The claim where cells ended so, by model and technique."""
    manifests = [limited(*place, *end) for place, end in ends.items()]
    plan = a_plan(*(manifest.cell for manifest in manifests))
    cells = [msgspec.structs.replace(one, experiment="memory-limit") for one in plan.cells]
    plan = msgspec.structs.replace(
        plan, study="shafique2023", cells=cells, experiments=list(experiments)
    )
    (found,) = gather(FOLDER, plan, manifests, "r", CLAIM).claims
    return found


def limited(model: str, technique: str, status: str, reason: str) -> Manifest:
    """Peaks are recorded however a cell ends."""
    cell = a_cell(
        study="shafique2023", task="train", technique=technique, model=model, image_size=128,
        batch_size=256, recipe={"memory_limit_bytes": 2**33},
    )  # fmt: skip
    peak = metric("peak_memory_bytes", 6 * 2**30, source="rss of the process")
    return measured(cell, peak, status=status, reason=reason)


def ends(vgg: tuple[str, str], resnet: tuple[str, str], amp: tuple[str, str] = FITS) -> dict[
    tuple[str, str], tuple[str, str]
]:  # fmt: skip
    return {
        ("vgg16", "float32"): vgg, ("vgg16", "amp-bfloat16"): FITS,
        ("resnet50", "float32"): resnet, ("resnet50", "amp-bfloat16"): amp,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "state", "why"),
    [
        (ends(OOM, OOM), "holds here", "2 of 2 hold in Table 5"),
        (ends(FITS, OOM), "does not hold here",
         "1 of 2 hold in Table 5, but not model vgg16, batch_size 256: CPU: float32 in 8 GiB is "
         "6 GiB"),
        (ends(OOM, OOM, amp=OOM), "does not hold here",
         "1 of 2 hold in Table 5, but not model resnet50, batch_size 256: CPU: bfloat16 AMP in 8 "
         "GiB is out of memory"),
        (ends(FITS, FITS), "does not hold here",
         "0 of 2 hold in Table 5, but not model resnet50, batch_size 256: CPU: float32 in 8 GiB "
         "is 6 GiB; model vgg16, batch_size 256: CPU: float32 in 8 GiB is 6 GiB"),
        (ends(FEW, FEW, amp=FEW), "not measured", f"unsupported: {FEW[1]}"),
    ],
)  # fmt: skip
def test_one_process_of_each_decides(
    found: dict[tuple[str, str], tuple[str, str]], state: str, why: str
) -> None:
    claim = judged(found)
    assert claim.stand_in is not None
    assert (claim.stand_in.state, claim.stand_in.why) == (state, why)
    assert claim.stand_in.wanted == () and claim.stand_in.would_decide == ""
    assert claim.measured.state == "not measured"


def test_a_crash_is_neither() -> None:
    """What the other network shows is told, and what is missing with it."""
    stand_in = judged(ends(CRASH, OOM)).stand_in
    assert stand_in is not None
    assert (stand_in.state, stand_in.why) == (
        "holds here", "1 of 1 hold in Table 5, 1 without a number",
    )  # fmt: skip


def test_without_the_experiment_it_says_how_to_run_it() -> None:
    stand_in = judged(ends(OOM, OOM), experiments=()).stand_in
    assert stand_in is not None
    assert (stand_in.state, stand_in.reason) == (
        "not measured", "not run: --experiment memory-limit adds it",
    )  # fmt: skip


def test_the_claim_itself_is_as_it_was() -> None:
    (claim,) = (one for one in load_claims(FOLDER).claim if one.id == CLAIM)
    assert claim.test == (
        "every(table5[batch_size=256, model=vgg16 or resnet50], oom(without) and not oom(with))"
    )
    assert (claim.table, claim.constants, claim.tiers) == ("table5", {}, [])
