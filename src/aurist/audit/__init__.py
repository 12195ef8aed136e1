"""The audit: what is in the data, what is broken, what would leak."""

from aurist.audit.audit import Audit, Finding, audit

__all__ = ["Audit", "Finding", "audit"]
