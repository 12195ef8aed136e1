"""The expected content of the files of a run, which `aurist.stored` checks when they are read."""

from __future__ import annotations

CONFIG = {"preset": str, "engine": str, "seed": int, "jobs": int}
CLIPS = {
    "clip_id": "O", "path": "O", "start": "f", "end": "f", "labels": "O", "absent": "O", "weight": "f",
    "group": "", "fold": "", "part": "",
}  # fmt: skip
#: The annotations that recordings were cut by.
BOXES = "boxes.parquet"
BOX_COLUMNS = {"path": "O", "start": "f", "end": "f", "label": "O"}
BOARD = {
    "model": "O", "score": "iuf", "low": "iuf", "high": "iuf", "score_val": "iuf", "fit_time": "iuf",
    "pred_time": "iuf", "stack_level": "iuf",
}  # fmt: skip
