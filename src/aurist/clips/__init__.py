"""The clips table and its readers: folders, CSV, TSV, Parquet, ARFF."""

from aurist.clips.table import BACKGROUND, COLUMNS, PARTS, Clips, Part, make_clips

__all__ = ["BACKGROUND", "COLUMNS", "PARTS", "Clips", "Part", "make_clips"]
