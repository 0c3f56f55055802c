"""A run with everything behind it in one archive, and checking one from a stranger."""

from comparisons.archive.extraction import RefusedError, unpack
from comparisons.archive.verification import Check, verify
from comparisons.archive.writer import Bundled, write_bundle

__all__ = ["Bundled", "Check", "RefusedError", "unpack", "verify", "write_bundle"]
