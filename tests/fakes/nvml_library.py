"""The stand-in NVML library, compiled on the spot, and folders that say how its GPUs are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("nvml.c")


class Library:
    """``gpus`` are the words of each GPU's file; see nvml.c."""

    def __init__(self, folder: Path, *gpus: str) -> None:
        """Skips the test where nothing compiles C."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip("NOT TESTED, no C compiler: apt-get install gcc")
        self.folder = folder
        folder.mkdir()
        target = folder / "libnvidia-ml.so.1"
        name = f"-Wl,-soname,{target.name}"
        subprocess.run([compiler, "-shared", "-fPIC", name, "-o", target, SOURCE], check=True)
        for number, words in enumerate(gpus):
            self.say(number, words)

    def say(self, gpu: int | str, words: str) -> None:
        """From now on that GPU (or ``init``, the library) is so."""
        (self.folder / str(gpu)).write_text(words)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that finds this library."""
        return {"LD_LIBRARY_PATH": str(self.folder), "STANDIN_NVML": str(self.folder)}
