"""Pages of HTML that open without a connection: about a run, and beside clips that are to be judged."""

from aurist.report.page import write_report
from aurist.report.review import write_review

__all__ = ["write_report", "write_review"]
