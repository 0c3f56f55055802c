"""The support matrix as a screen, by keys."""

from __future__ import annotations

import msgspec
from textual.pilot import Pilot

from comparisons.matrix import support_matrix
from manifests.probe_record import Outcome, Probe
from tests.comparisons.samples import planned
from tests.manifests.samples import a_cell, a_manifest
from tests.tui.conftest import drive, shown
from tui.app import Repliquant
from tui.screens.explain import ExplainScreen
from tui.screens.matrix import MatrixScreen

PROBES: list[tuple[str, str, Outcome, str]] = [
    ("lstm", "dynamic", "int8", ""),
    ("lstm", "ptq-fx", "mixed", ""),
    ("gelu", "dynamic", "mixed", ""),
    ("gelu", "ptq-fx", "refused", "RuntimeError: no kernel for gelu"),
]


def with_probes(app: Repliquant) -> None:
    """The shown run as if these probes were in it."""
    manifests = []
    for feature, technique, outcome, words in PROBES:
        cell = a_cell(task="probe", framework="pytorch", technique=technique, feature=feature)
        probe = Probe(outcome=outcome, words=words, sqnr_db=29.3 if outcome == "int8" else None)
        manifests.append(msgspec.structs.replace(a_manifest(cell), probe=probe))
    assert app.data.results is not None
    matrix = support_matrix([planned(one.cell) for one in manifests], manifests)
    app.data.results = app.data.results._replace(matrix=matrix)


async def opened(pilot: Pilot[str], app: Repliquant) -> None:
    """Home, speedups, and the matrix of these probes on top of them."""
    await pilot.press("5")
    await pilot.pause()
    with_probes(app)
    await pilot.press("m")
    await pilot.pause()


def test_arrows_choose_feature_and_technique_and_the_words_are_told(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await opened(pilot, app)
        assert isinstance(app.screen, MatrixScreen)
        assert "lstm in pytorch dynamic: int8, 29.3 dB" in shown(app)
        await pilot.press("right", "down")
        await pilot.pause()
        assert "gelu in pytorch ptq-fx: refused" in shown(app)
        assert "no kernel for gelu" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ExplainScreen)

    drive(app, steps)


def test_only_what_a_technique_runs_or_doesnt(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("5")
        await pilot.pause()
        with_probes(app)
        await pilot.press("m", "w")
        await pilot.pause()
        assert "what it runs   1 feature" in shown(app) and "gelu" not in shown(app)
        await pilot.press("n")
        await pilot.pause()
        assert "what it doesn't run   1 feature" in shown(app) and "lstm" not in shown(app)
        await pilot.press("right")
        await pilot.pause()
        assert "what it doesn't run   2 features" in shown(app)

    drive(app, steps)


def test_without_probes_the_key_names_the_command(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("5", "m")
        await pilot.pause()
        assert isinstance(app.screen, ExplainScreen)
        assert any("--experiment matrix" in text for text in app.said)

    drive(app, steps)


def test_a_wide_screen_says_which_technique_a_letter_is(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await opened(pilot, app)
        lines = [" ".join(line.split()) for line in shown(app).splitlines()]
        assert any(line.endswith("a pytorch dynamic 1 of 2") for line in lines)
        assert any(line.endswith("b pytorch ptq-fx 0 of 2") for line in lines)

    drive(app, steps, size=(132, 40))
