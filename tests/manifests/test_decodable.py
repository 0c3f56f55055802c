"""Several threads read documents of one type at the same moment, for the first time."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

TIMES = 12
READ = """
import sys, threading
sys.setswitchinterval(1e-6)
from manifests import paths
from papers.study import load_study
from papers.published import load_published
together = threading.Barrier(6)

def plan():
    together.wait()
    load_study("lad2023")

def numbers():
    together.wait()
    load_published(paths.STUDIES / "lad2023")

threads = [threading.Thread(target=work) for work in (plan, numbers) * 3]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


def test_threads_that_read_at_once_do_not_crash_the_process() -> None:
    for _ in range(TIMES):
        done = subprocess.run(
            [sys.executable, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
