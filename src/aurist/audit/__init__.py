"""The audit: describe the data, and find broken, duplicate and leaking clips."""

from aurist.audit.audit import audit
from aurist.audit.result import Audit, Finding, with_file_rows

__all__ = ["Audit", "Finding", "audit", "with_file_rows"]
