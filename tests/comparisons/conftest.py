"""Properties have no deadline: how fast a shared machine is says nothing about the code.

And a good archive, made once.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.comparisons import hostile
from tests.comparisons.bundles import bundle, files_of, toy_manifests, toy_run

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> hostile.Files:
    """The files of a good archive, without its checksums."""
    folder = tmp_path_factory.mktemp("good")
    target = folder / "good.zip"
    bundle(toy_run(folder, toy_manifests()), target)
    files = files_of(target)
    del files["checksums.sha256"]
    return files
