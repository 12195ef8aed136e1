"""The audit: what is in the data, what is broken, what would leak."""

from aurist.audit.audit import audit
from aurist.audit.found import Audit, Finding, with_file_rows

__all__ = ["Audit", "Finding", "audit", "with_file_rows"]
