"""A site whose Slurm behaves as told, a run's folder, and cells in it that can be handed over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.manifest import CodeVersion, Context, ImageUsed
from manifests.order import CellOrder
from orchestrator.engines.base import Handle, Order
from orchestrator.engines.live_cells import read_handle
from orchestrator.engines.queue import Bundle, Enqueued, Job
from orchestrator.engines.slurm import configuration
from orchestrator.environments.images import Image, load_image
from orchestrator.running.attempt import write_inputs
from tests.fakes.engines.fake_slurm import FakeSlurm
from tests.fakes.slurm import Site
from tests.fakes.studies import write_image
from tests.manifests.samples import a_cell

SETTINGS = """\
[slurm]
late_s = {}
poll_s = 0
pause_s = 0.01
"""


class Cluster:
    """Hands cells over at a site, one job each unless told otherwise."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder, self.site = folder, site
        write_image(folder, "alpha")
        self.image: Image = load_image("alpha", folder / "images")
        self.run = folder / "runs" / "r"
        (self.run / "cells").mkdir(parents=True)
        self.engine = FakeSlurm()

    def order(self, seed: int, after: tuple[str, ...] = (), behave: str = "ok") -> Order:
        cell = a_cell(seed=seed, framework="alpha", technique="plain", recipe={"behave": behave})
        folder = self.run / "cells" / cell.id
        kit = CodeVersion(version="0")
        context = Context(
            engine="fake-slurm", image=ImageUsed(name="alpha", kind="given"), kit=kit, run="r"
        )
        weights = self.run / "cells" / after[0] if after else None
        ordered = CellOrder(cell=cell, context=context, threads=1, timeout_s=60.0, interval_s=None)
        write_inputs(folder, ordered, durable=False)
        return Order("r", cell.id, folder, None, weights, 1, after=after)

    def bundle(self, *orders: Order, level: int = 0) -> Bundle:
        return Bundle(tuple(Job(self.image, order) for order in orders), level, 60.0 * len(orders))

    def enqueue(self, *bundles: Bundle) -> Enqueued:
        done = self.engine.enqueue(bundles, lambda line: None)
        for bundle in bundles:
            for job in bundle.jobs:
                handle = read_handle(job.order.folder)
                if handle is not None:
                    self.engine.attach(self.image, handle, job.order)
        return done

    def one(self, seed: int = 0, behave: str = "ok") -> tuple[Order, Handle, str]:
        """A submitted cell, its handle, and its job."""
        order = self.order(seed, behave=behave)
        (job,) = self.enqueue(self.bundle(order)).jobs
        return order, self.handle(order), job

    def handle(self, order: Order) -> Handle:
        handle = read_handle(order.folder)
        assert handle is not None
        return handle


@pytest.fixture
def make_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cluster]:
    def make(late_s: float = 0, **behave: object) -> Cluster:
        site = Site(tmp_path / "site", **behave)
        for name, value in site.environment.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "repliquant.toml").write_text(SETTINGS.format(late_s))
        monkeypatch.setenv("REPLIQUANT_CONFIG", str(tmp_path / "repliquant.toml"))
        monkeypatch.setenv("FAKE_LOG", str(tmp_path / "executed.txt"))
        monkeypatch.setattr(configuration, "_given", {})
        return Cluster(tmp_path, site)

    return make


@pytest.fixture
def cluster(make_cluster: Callable[..., Cluster]) -> Cluster:
    return make_cluster()
