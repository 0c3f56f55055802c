"""Where a container can be watched from outside: only on this very machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from orchestrator.engines.base import Order, Where
from orchestrator.engines.docker.container import DockerCell

ORDER = Order("run", "abc", Path("/nowhere"), None, None, 1)


def cell(answer: Any, shares_files: bool = True) -> DockerCell:
    """A started cell of a daemon that answers so when it is asked for the container's state."""

    def inspect(_: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return {"State": answer}

    api = SimpleNamespace(inspect_container=inspect)
    daemon = SimpleNamespace(
        shares_files=shares_files, words="Docker Engine 27 at tcp://far",
        service="the Docker daemon", client=SimpleNamespace(api=api),
    )  # fmt: skip
    made = DockerCell(daemon, ORDER, lambda note: None)  # type: ignore[arg-type]
    made._container = SimpleNamespace(id="543ef")
    return made


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        ({"Pid": 4242}, Where(4242, "543ef")),
        ({"Pid": 0}, Where(None, "543ef", reason="it has ended")),
        (APIError("no"), Where(None, reason="the Docker daemon did not tell its process")),
        (ConnectionError(), Where(None, reason="the Docker daemon did not tell its process")),
    ],
)
def test_the_daemon_tells_the_first_process(answer: Any, where: Where) -> None:
    assert cell(answer).where() == where


def test_a_container_that_never_was() -> None:
    made = cell({"Pid": 1})
    made._container = None
    assert made.where() == Where(None, reason="it was not started")
    made.lose("the daemon was away")
    assert made.where() == Where(None, reason="the daemon was away")


def test_a_cell_of_a_daemon_elsewhere_is_not_on_this_machine() -> None:
    assert cell({"Pid": 4242}, shares_files=False).where() == Where(
        None,
        elsewhere=True,
        reason="the cell runs on the machine of the Docker Engine 27 at tcp://far",
    )
