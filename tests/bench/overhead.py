"""What the orchestrator itself takes from the processor while a cell measures."""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import tempfile
import threading
from pathlib import Path

from tests.bench.long_cell import CHOSEN, lay_out, percent, shares_while_measuring


def own_processor_time() -> None:
    """The orchestrator's share of one core during the measure phase of a cell, on a terminal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A longer measuring phase, so that clock ticks of 10 ms resolve it.
        environment = lay_out(folder, measure_s=20.0)
        master, slave = pty.openpty()
        process = subprocess.Popen(
            ["repliquant", "run", "lad2023", "-k", CHOSEN],
            env=environment, stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        threading.Thread(target=_drain, args=(master,), daemon=True).start()
        shares = shares_while_measuring(process.pid, folder, lambda: process.poll() is None)
        process.wait()
    print(f"  {statistics.median(shares):.2%} of a core (windows of 3 s: {percent(shares)})")


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:
        return
