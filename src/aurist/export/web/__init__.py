"""A static web page that recognises sounds on the visitor's machine."""

from aurist.export.web.writing import WebExport, export_web

__all__ = ["WebExport", "export_web"]
