"""``python -m tests.again``: the tests that failed beside others once more, by themselves.

On a busy machine a test of processes, daemons or screens can fail that holds alone. What passes
now is named, so that nobody takes it for sound; the rest has failed. Many failures at once are no
accident of a busy machine.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

FAILED = Path(".pytest_cache/v/cache/lastfailed")
AT_MOST = 10
_GROUP = re.compile(r"@[^@\]]*$")
"""What is added to a test's name where tests are dealt out by groups; no test goes by that name."""


def main() -> int:
    """The exit status: 0 when all of them pass."""
    recorded = json.loads(FAILED.read_text()) if FAILED.is_file() else {}
    failed = sorted(_GROUP.sub("", name) for name in recorded)
    if not failed or len(failed) > AT_MOST:
        print(f"{len(failed)} tests have failed; up to {AT_MOST} would be run again alone")
        return 1
    print("run again by themselves:", *failed, sep="\n  ", flush=True)
    if subprocess.run([sys.executable, "-m", "pytest", *failed], check=False).returncode:
        return 1
    print("FAILED BESIDE OTHERS, PASSED ALONE:", *failed, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
