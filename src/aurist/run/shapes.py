"""The expected content of the files of a run, which `aurist.stored` checks when they are read."""

from __future__ import annotations

CONFIG = {"preset": str, "engine": str, "seed": int, "jobs": int}
DATA = {
    "classes": [str],
    "multilabel": bool,
    "unannotated": str,
    "window?": (float, None),
    "band?": ([float], None),
    "metric": str,
    "root": (str, None),
    "schema": [{"name": str, "kind": str, "categories": [str], "decimal_comma?": bool}],
    "features?": int,
    "summary": (dict, None),
    "notes": [str],
    "cache_dir": (str, None),
}
CLIPS = {"clip_id": "O", "path": "O", "start": "f", "end": "f", "labels": "O", "absent": "O", "weight": "f"}
THRESHOLDS = {str: {str: float}}
BOARD = {
    "model": "O", "score": "iuf", "low": "iuf", "high": "iuf", "score_val": "iuf", "fit_time": "iuf",
    "pred_time": "iuf", "stack_level": "iuf",
}  # fmt: skip
