"""Whether published numbers agree with one another; nothing is measured for it.

``studies/<id>/audit.toml`` holds the checks as data; derived columns need no entry.
"""

from tables.audit.auditing import audit
from tables.audit.findings import Finding, Report

__all__ = ["Finding", "Report", "audit"]
