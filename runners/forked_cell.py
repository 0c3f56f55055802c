"""A cell as a fork of this process, which has imported what it needs: see runners.shared_parent."""

from __future__ import annotations

import os
import signal
import sys
from typing import List, Optional

from runners import __main__ as runner
from runners import lifeline


class ForkedCell:
    """As runners.children.CellProcess: it ends with this process, whatever ends that."""

    def __init__(self, arguments: List[str], module: str) -> None:
        self.output, writing = os.pipe()
        self._code: Optional[int] = None
        parent = os.getpid()
        with lifeline.held_back():
            self.pid = os.fork()
            if not self.pid:
                _become(writing, [*arguments, "--parent", str(parent)])
        os.close(writing)
        os.set_blocking(self.output, False)

    def ended(self) -> bool:
        return self._waited(os.WNOHANG)

    @property
    def code(self) -> int:
        """Its exit status, negative for the signal that ended it."""
        self._waited(0)
        assert self._code is not None
        return self._code

    def read(self) -> Optional[bytes]:
        """What it has said, b"" at the end, None when there is nothing just now."""
        try:
            return os.read(self.output, 65536)
        except BlockingIOError:
            return None

    def signal(self, number: int) -> None:
        if not self.ended():
            os.kill(self.pid, number)

    def _waited(self, options: int) -> bool:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self._code = exit_code(status)
        return self._code is not None


def exit_code(status: int) -> int:
    """Of what waitpid says: negative for the signal that ended the process."""
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _become(output: int, arguments: List[str]) -> None:
    """Run the cell and end, whatever happens: nothing of the parent's own goes on in its child."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *lifeline.ASKING):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        os.dup2(output, 1)
        os.close(output)
        sys.argv = ["runners", *arguments]
        runner.leave(runner.main())
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
        runner.leave(1)
    finally:
        os._exit(1)
