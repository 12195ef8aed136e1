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
_SCORE = {"score": float, "low": float, "high": float}
SCORES = {
    "metric": str,
    "best": str,
    "score": _SCORE,
    "n_scored": int,
    "n_groups": int,
    "chance": float,
    "vs_best_single": (None, {**_SCORE, "model": str}),
    "random_split": (
        None,
        {"model": str, "honest": _SCORE, "random": _SCORE, "by_shares?": float, "leak?": bool},
    ),
    "cautions?": [str],
    "few_groups?": {str: int},
    "tuned?": [{"model": str, "trials": int, "metric": str, "score": float, "share": float}],
    "best_other?": {"model": str, "score": float, "models": int, "flatters": float},
    "decisions?": {str: {"at_0.5": _SCORE, "thresholds": _SCORE}},
    "test?": {"rows": int, "seen": int, "expected_new": _SCORE, "expected_all": _SCORE},
    "held_out?": {"n": int, "seen": int, "score": _SCORE, "new?": _SCORE},
}
CARELESS = {"model": str, "honest": dict, "random": dict, "by_shares?": float, "leak?": bool}
THRESHOLDS = {str: {str: float}}
BOARD = {
    "model": "O", "score": "iuf", "low": "iuf", "high": "iuf", "score_val": "iuf", "fit_time": "iuf",
    "pred_time": "iuf", "stack_level": "iuf",
}  # fmt: skip
