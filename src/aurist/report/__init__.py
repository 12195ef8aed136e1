"""HTML pages that open without a connection: the report of a run, and the review of clips."""

from aurist.report.page import write_report
from aurist.report.review import write_review

__all__ = ["write_report", "write_review"]
