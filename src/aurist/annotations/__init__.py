"""Annotations of recordings: boxes in time and frequency, in the formats that people keep them in."""

from aurist.annotations.read import read_annotations
from aurist.annotations.table import ABSENT, PRESENT, Annotations, make_annotations, together
from aurist.annotations.write import FORMATS, write_annotations

__all__ = [
    "ABSENT",
    "FORMATS",
    "PRESENT",
    "Annotations",
    "make_annotations",
    "read_annotations",
    "together",
    "write_annotations",
]
