"""One page of HTML about a run, which opens without a connection."""

from aurist.report.page import write_report

__all__ = ["write_report"]
