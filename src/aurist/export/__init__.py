"""A run as a model folder: small, safe to open, and independent of the libraries that trained it."""

from aurist.export.export import ExportOptions, ExportResult, export_run
from aurist.export.verify import Verification, verify_model

__all__ = ["ExportOptions", "ExportResult", "Verification", "export_run", "verify_model"]
