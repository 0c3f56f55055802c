"""gpu-check where nothing is installed but a framework and numpy.

    python3 DIR/gpu_check.py --minutes 8 --out RESULTS      in a folder from gpu-check --pack
    python3 cli/check_entry.py ...                          in a checkout with that vendor/

Written so that also a Python that is too old can read it and say so.
"""

import os
import sys

PLACE = os.path.dirname(os.path.abspath(__file__))
ROOT = PLACE if os.path.isdir(os.path.join(PLACE, "manifests")) else os.path.dirname(PLACE)
VENDOR = os.path.join(ROOT, "vendor")


def start() -> int:
    """Exit status 3 for a Python that this can't run in."""
    version = "{}.{}".format(*sys.version_info[:2])
    if sys.version_info < (3, 11):
        sys.stderr.write("gpu-check: needs Python 3.11 or later; this is %s\n" % version)
        return 3
    # Ahead of everything, and not the folder of this file: it holds names of other packages.
    sys.path[:] = [ROOT, VENDOR, *(path for path in sys.path if path != PLACE)]
    sys.dont_write_bytecode = True
    try:
        import msgspec  # noqa: F401
    except ImportError as error:
        sys.stderr.write(
            "gpu-check: msgspec for Python %s is not among what is carried (%s). Pack again with "
            "--python-version %s\n" % (version, error, version)
        )
        return 3
    from cli.check_bare import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(start())
