"""A run with everything behind it in one archive, and checking one from a stranger."""

from tables.archive.bundling import Bundled, write_bundle
from tables.archive.opening import RefusedError, unpack
from tables.archive.verifying import Check, verify

__all__ = ["Bundled", "Check", "RefusedError", "unpack", "verify", "write_bundle"]
