"""What TensorFlow writes into the temporary folder while it traces goes with its process."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from runners import generated_modules


def test_generated_files_go_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("__autograph_generated_file_x1", "__autograph_generated_file_x2", "a_module"):
        module = types.ModuleType(name)
        module.__file__ = str(tmp_path / f"{name}.py")
        Path(module.__file__).touch()
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "__autograph_generated_file_x2.py").unlink()  # somebody was faster
    (tmp_path / "__autograph_generated_file_of_another.py").touch()
    generated_modules.remove()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["__autograph_generated_file_of_another.py", "a_module.py"]
