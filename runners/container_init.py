"""``python -m runners.container_init ...``: the first process of a container.

Takes the arguments of ``python -m runners.launcher`` and runs that as its child. It passes SIGTERM
and SIGHUP on as SIGTERM, collects the orphans that end up with process 1, and kills everything when
its standard input ends: the orchestrator holds the other end, and the kernel closes it when that
dies.

Exit status: the launcher's own, 128 + n when signal n killed it, 143 when this process itself
was asked to end, 125 when its standard input ended, 124 when the kernel killed the launcher at the
control group's memory limit. Not every engine tells that afterwards: Podman removes the group and
remembers nothing of it.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
from typing import List, Optional

from machine.cgroup import oom_kills

ABANDONED = 125
OUT_OF_MEMORY = 124
_KILLED = 128 + signal.SIGKILL
_ASKING = (signal.SIGTERM, signal.SIGHUP)
_ASKED_TO_END = 128 + signal.SIGTERM


def main(arguments: List[str], module: str = "runners.launcher") -> int:
    """Run ``python -m module arguments`` to its end."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGCHLD, *_ASKING, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    kills = oom_kills()
    child = subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL)
    status = _watch(child.pid, wake)
    return OUT_OF_MEMORY if status == _KILLED and _more_than(kills) else status


def _more_than(kills: Optional[int]) -> bool:
    now = oom_kills()
    return kills is not None and now is not None and now > kills


def _watch(child: int, wake: int) -> int:
    """Sleep until the child ends, a signal comes, or standard input ends."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    if _somebody_holds(0):
        poll.register(0, select.POLLIN | select.POLLHUP)
    asked = False
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == 0 and _at_end(0):
                os.kill(child, signal.SIGKILL)
                return ABANDONED
            if descriptor == wake and set(_ASKING) & set(os.read(wake, 4096)):
                asked = True
                os.kill(child, signal.SIGTERM)
        status = _collect(child)
        if status is not None:
            return _ASKED_TO_END if asked else status


def _somebody_holds(descriptor: int) -> bool:
    """Whether the other end can go away: not so for /dev/null or a terminal."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _at_end(descriptor: int) -> bool:
    """Take what was written, which is nothing to us, and look whether that was all."""
    try:
        return not os.read(descriptor, 4096)
    except OSError:  # a connection that broke off
        return True


def _collect(child: int) -> Optional[int]:
    """Bury everything that ended; the child's exit status when it is among them."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if process == 0:
            return None
        if process == child:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
