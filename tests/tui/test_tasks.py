"""What a new user comes for, each at most five keys from home; typed text is not counted.

Copying a number with its citation is in test_everywhere, a small run that is started, cancelled
and resumed in test_start.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from comparisons.matrix import support_matrix
from comparisons.measured import NOTHING
from comparisons.pareto import Network, Way, compared
from manifests.probe_record import Outcome, Probe
from tests.comparisons.samples import planned
from tests.manifests.samples import a_cell, a_manifest
from tests.tui.conftest import RUN, drive, shown
from tests.tui.scenes import until
from tui.app import Repliquant
from tui.screens.claims import ClaimsScreen
from tui.screens.comparison import CompareScreen
from tui.screens.curves import CurvesScreen
from tui.screens.full import Full
from tui.screens.matrix import MatrixScreen
from tui.screens.pareto import ParetoScreen

MOST = 5
SIZE = (120, 34)


class Keys:
    """Presses keys and counts them; what is typed into a box counts nothing."""

    def __init__(self, pilot: Pilot[str]) -> None:
        self._pilot = pilot
        self._pressed = 0

    async def press(self, *keys: str) -> None:
        self._pressed += len(keys)
        assert self._pressed <= MOST
        for key in keys:
            await self._pilot.press(key)
            await self._pilot.pause()

    async def type(self, text: str) -> None:
        await self._pilot.press(*text)


def test_the_evidence_of_a_claim_that_failed(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        keys = Keys(pilot)
        await keys.press("c")
        await until(pilot, lambda: isinstance(app.screen, ClaimsScreen) and bool(app.screen.claims))
        await keys.press("slash")
        await keys.type("does not hold")
        await keys.press("enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, Full))
        await until(pilot, lambda: "is 2.285 (2.284 to 2.287), expected 3" in shown(app))

    drive(app, steps, SIZE)


def test_two_runs_compared_and_their_curves(app: Repliquant, recorded: Path) -> None:
    shutil.copytree(recorded, recorded.with_name("another"))

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        keys = Keys(pilot)
        await keys.press("tab", "space", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and RUN in shown(app))
        await keys.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen) and "points" in shown(app))

    drive(app, steps, SIZE)


def _probes(app: Repliquant, outcomes: dict[str, Outcome]) -> None:
    """The shown run as if its cells had probed an LSTM in these techniques."""
    manifests = []
    for technique, outcome in outcomes.items():
        cell = a_cell(task="probe", framework="pytorch", technique=technique, feature="lstm")
        manifests.append(
            msgspec.structs.replace(a_manifest(cell), probe=Probe(outcome=outcome, words=""))
        )
    matrix = support_matrix([planned(one.cell) for one in manifests], manifests)
    assert app.data.results is not None
    app.data.results = app.data.results._replace(matrix=matrix)


def test_whether_an_lstm_can_be_int8(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        _probes(app, {"dynamic": "int8", "ptq-fx": "refused"})
        keys = Keys(pilot)
        await keys.press("5", "m", "slash")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await keys.type("lstm")
        await keys.press("enter")
        await until(
            pilot,
            lambda: "lstm runs as promised in 1 of 2 techniques: pytorch dynamic" in shown(app),
        )

    drive(app, steps, SIZE)


def _network(batch: str, latencies: dict[str, float]) -> Network:
    key = {
        "model": "resnet18", "image_size": "32", "batch_size": batch, "device": "cpu",
        "dataset": "digits", "seed": "0", "protocol": "rigorous",
    }  # fmt: skip
    ways = [
        Way(
            framework, "ptq-qdq", "", "", NOTHING._replace(value=ms, n=1, state="ok", values=(ms,)),
            NOTHING._replace(value=90.0, n=1, state="ok", values=(90.0,)), None,
        )
        for framework, ms in latencies.items()
    ]  # fmt: skip
    return Network(key, "accuracy", tuple(compared(ways)))


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("batch", "fastest"), [("8", "openvino ptq-qdq, 3.000 ms"), ("1", "onnxruntime ptq-qdq, 1.000")]
)
def test_which_toolchain_is_fastest_at_a_batch(app: Repliquant, batch: str, fastest: str) -> None:
    networks = [
        _network("128", {"onnxruntime": 90.0, "openvino": 80.0}),
        _network("1", {"onnxruntime": 1.0, "openvino": 2.0}),
        _network("8", {"onnxruntime": 5.0, "openvino": 3.0}),
    ]

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        assert app.data.results is not None
        app.data.results = app.data.results._replace(networks=networks)
        keys = Keys(pilot)
        await keys.press("5", "f", "slash")
        await until(pilot, lambda: isinstance(app.screen, ParetoScreen))
        await keys.type(f"batch {batch}")
        await keys.press("enter")
        await until(pilot, lambda: f"fastest: {fastest}" in shown(app))

    drive(app, steps, SIZE)


async def _palette(pilot: Pilot[str], app: Repliquant, text: str) -> None:
    await pilot.press("ctrl+p", *text)
    await until(pilot, lambda: text.split()[0].casefold() in shown(app).casefold())
    await pilot.pause(0.3)
    await pilot.press("enter")


def test_runs_studies_and_claims_are_in_the_palette_by_name(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await until(pilot, lambda: len(app.data.home.verdict_rows) == 2)
        await _palette(pilot, app, f"run {RUN}")
        await until(pilot, lambda: app.current_mode == "results" and f"run {RUN}" in shown(app))
        await _palette(pilot, app, "claim C3 lad2023")
        await until(pilot, lambda: isinstance(app.screen, ClaimsScreen) and bool(app.screen.claims))
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, ClaimsScreen)
                and app.screen.claim is not None
                and app.screen.claim.number == "C3"
            ),
        )
        await _palette(pilot, app, "study shafique2023")
        await until(pilot, lambda: app.current_mode == "plan" and app.data.study == "shafique2023")

    drive(app, steps, SIZE)
