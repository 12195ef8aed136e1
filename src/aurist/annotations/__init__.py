"""Annotations of recordings: boxes in time and frequency, read from and written to common formats."""

from aurist.annotations.raven_writing import RecordingFacts
from aurist.annotations.read import read_annotations
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import ABSENT, PRESENT, Annotations, join_annotations, make_annotations
from aurist.annotations.windows import CutOptions, to_clips
from aurist.annotations.write import CLOCK, FORMATS, write_annotations

__all__ = [
    "ABSENT",
    "CLOCK",
    "FORMATS",
    "PRESENT",
    "Annotations",
    "CutOptions",
    "RecordingFacts",
    "Recordings",
    "join_annotations",
    "make_annotations",
    "read_annotations",
    "to_clips",
    "write_annotations",
]
