"""A run that is finished already, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tests.conftest import Workshop
from tests.fakes.studies import write_study

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def _finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    write_study(folder)
    Workshop(folder).run()
    return folder


@pytest.fixture
def finished(workshop: Workshop, _finished_once: Path) -> Workshop:
    """A workshop whose six cells have been run."""
    shutil.copytree(_finished_once, workshop.folder, dirs_exist_ok=True)
    return workshop
