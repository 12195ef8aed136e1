"""Learn from verdicts and corrections in a process of its own, which can be stopped, and goes on after a restart.

The server starts it as ``python -m aurist.serve.relearning FOLDER``; the folder holds ``request.json``.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from aurist.automl.fit import fit, resume
from aurist.config import FitConfig
from aurist.errors import AuristError
from aurist.files import write_json
from aurist.results.comparison import compare_runs
from aurist.results.corrections import Corrections, corrected
from aurist.review.journal import Verdict
from aurist.review.learning import Judged, compare, with_verdicts
from aurist.run import ModelFiles, RunFolder, open_model, open_run, read_data
from aurist.run.description import DESCRIPTION
from aurist.serve.models import RUN
from aurist.stored import read_json

REQUEST, RESULT = "request.json", "result.json"
_REQUEST = {
    "run": str,
    "before": str,
    "seconds": float,
    "window": float,
    "started": float,
    "learn": [dict],
    "held_out": [dict],
    "labels": {str: [str]},
    "left_out": [str],
}


def to_json(judged: Judged) -> dict[str, Any]:
    """Write a verdict with its sound."""
    return {**asdict(judged), "file": str(judged.file)}


def from_json(record: dict[str, Any]) -> Judged:
    """Read what `to_json` wrote."""
    verdict = {**record["verdict"], "labels": tuple(record["verdict"]["labels"])}
    return Judged(Verdict(**verdict), Path(record["file"]), record["content"], record["at_random"])


def read_request(folder: Path) -> dict[str, Any]:
    """Read what is to be learnt.

    Raises
    ------
    RunError
        If the file is missing or damaged.
    """
    request: dict[str, Any] = read_json(folder / REQUEST, _REQUEST, f"Remove {folder}, and learn again.")
    return request


def config_for(run: RunFolder, seconds: float) -> FitConfig:
    """Give the settings of the first fit, with another time; a fit by a plan has the same plan, and no time."""
    config = replace(run.config(), unlabelled=None, fraction=None, allow_loss=True)
    if config.plan is not None:
        return replace(config, plan=str(run.plan_path))
    return replace(config, time_limit=seconds)


def relearn(folder: Path) -> dict[str, Any]:
    """Fit a run to the corrected data of the first one and the verdicts, and compare both.

    Returns
    -------
    dict
        ``clips``: the number of new clips; ``corrected``: that of corrected ones; ``comparison``, on verdicts that
        neither has learnt from, or why there is none in ``problem``; ``on_data``, see `_compare_on_data`.
    """
    request = read_request(folder)
    original, window = open_run(Path(request["run"])), request["window"]
    target, n_new = folder / RUN, 0
    corrections = Corrections(request["labels"], request["left_out"])
    clips = corrected(read_data(original).clips, corrections)
    if request["learn"]:
        clips, n_new = with_verdicts(clips, [from_json(one) for one in request["learn"]], window)
    if (target / DESCRIPTION).exists():
        resume(target)
    else:
        fit(clips, target, config_for(original, request["seconds"]))
    before, after = open_model(Path(request["before"])), open_model(target)
    result: dict[str, Any] = {
        "clips": n_new,
        "corrected": len(corrections),
        "comparison": None,
        "problem": "",
        "on_data": _compare_on_data(before, after),
    }
    held_out = [from_json(one) for one in request["held_out"]]
    try:
        result["comparison"] = asdict(compare(before, after, held_out, window))
    except AuristError as error:
        result["problem"] = str(error)
    return result


def _compare_on_data(before: ModelFiles, after: ModelFiles) -> dict[str, Any] | None:
    """Compare both on the training clips whose labels stayed, out of fold in each; None if they share too little.

    The labels that people changed are left out: what the first model said helped to choose them.
    """
    if before.run is None or after.run is None:
        return None
    try:
        compared = compare_runs(before.run, after.run)
    except AuristError:
        return None
    score = compared.scores[0]
    if math.isnan(score.difference.low):  # too few groups for an interval
        return None
    return {
        "metric": score.metric,
        "clips": len(compared.clips),
        "before": asdict(score.first),
        "after": asdict(score.second),
        "difference": asdict(score.difference),
    }


def main() -> None:
    """Learn, and write ``result.json``: an error in it is for people."""
    folder = Path(sys.argv[1])
    try:
        result = relearn(folder)
    except (AuristError, OSError, MemoryError) as error:
        result = {"error": str(error) or type(error).__name__}
    write_json(folder / RESULT, result)


if __name__ == "__main__":
    main()
