"""What is recorded of a cell in a container."""

from __future__ import annotations

import pytest

from manifests.codec import read_manifest
from manifests.series_reader import read_series
from tests.docker.conftest import DockerWorkshop

pytestmark = pytest.mark.docker


def test_a_containers_own_control_group_is_read(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=1.5)
    docker_workshop.run("-k", "alpha and train")
    (path,) = docker_workshop.manifests()
    telemetry = read_manifest(path).telemetry
    assert telemetry is not None
    assert telemetry.reason == ""
    work = telemetry.phase("work")
    assert work is not None and work.samples >= 3
    # An interpreter with numpy, not the whole machine and not nothing.
    assert 5_000_000 < work.readings["cell/memory_bytes"].mean < 500_000_000
    assert work.readings["cell/cpu_percent"].mean < 100.0
    assert work.readings["cell/processes"].mean == 1  # without those that run beside the cell
    series = read_series(path.parent / telemetry.path)
    assert series.opening.cell_source.startswith("container cgroup")
    assert path.parent.joinpath(telemetry.path).stat().st_uid == path.stat().st_uid
