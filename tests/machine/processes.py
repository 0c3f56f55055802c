"""The processes that the tests themselves are."""

import psutil


def own_processes() -> int:
    """This process and those below it: another test may have left a browser to the next one."""
    return 1 + len(psutil.Process().children(recursive=True))
