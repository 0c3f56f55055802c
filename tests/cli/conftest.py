"""A run that is finished already, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_study

RUN = "toy-quick-digits"


@pytest.fixture(scope="session")
def _finished_once(drawing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The errors of the crashed cells hold an escape sequence."""
    folder = tmp_path_factory.mktemp("finished")
    write_study(folder, behave="crash")
    Workshop(folder).run("-k", "alpha", status=1)
    shutil.copytree(drawing, folder / "cache" / "charts")
    return folder


@pytest.fixture
def finished(workshop: Workshop, _finished_once: Path) -> Workshop:
    """A workshop with a run: alpha's training is ok, its inference crashed, beta is to do."""
    shutil.copytree(_finished_once, workshop.folder, dirs_exist_ok=True)
    return workshop
