"""HTML pages that open without a connection: of a run, of two runs, of clips to review, of an index."""

from aurist.report.compare import write_comparison
from aurist.report.map import write_map
from aurist.report.page import write_report
from aurist.report.review import write_review

__all__ = ["write_comparison", "write_map", "write_report", "write_review"]
