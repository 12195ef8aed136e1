"""HTML pages that open without a connection: the report of a run, the review of clips, the map of an index."""

from aurist.report.map import write_map
from aurist.report.page import write_report
from aurist.report.review import write_review

__all__ = ["write_map", "write_report", "write_review"]
