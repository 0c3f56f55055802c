"""Whether published numbers agree with one another; nothing is measured for it.

``studies/<id>/audit.toml`` holds the checks as data; derived columns need no entry.
"""

from comparisons.audit.checks import audit
from comparisons.audit.findings import Finding, Report

__all__ = ["Finding", "Report", "audit"]
