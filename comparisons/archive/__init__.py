"""A run with everything behind it in one archive, and checking one from a stranger."""

from comparisons.archive.bundle import Bundled, write_bundle
from comparisons.archive.unpack import RefusedError
from comparisons.archive.verify import Check, verify

__all__ = ["Bundled", "Check", "RefusedError", "verify", "write_bundle"]
