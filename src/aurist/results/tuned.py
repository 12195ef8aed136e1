"""Find settings that were chosen on the clips that a run is scored on."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.crossval import TrainingData
from aurist.features.matrix import row_keys
from aurist.plan import read_plan
from aurist.run import RunFolder
from aurist.run.scores_file import TunedMember

#: A smaller share of the clips is not reported.
_LEAST = 0.05


def clip_hashes(learn: TrainingData) -> npt.NDArray[np.uint64]:
    """Hash the scored clips, (n_scored,); another fit of the same data gives the same hashes.

    Clips of recordings are hashed by path, and whole recordings also by labels. Rows of tables are hashed by features
    and labels.
    """
    rows = np.flatnonzero(learn.folds >= 0)
    scored = learn.examples.take(rows)
    classes = np.asarray(learn.task.classes, dtype=object)
    labels = [";".join(classes[row == 1]) for row in scored.targets]
    clips = scored.inputs.clips
    if clips is None:
        names = [f"{key}\n{label}" for key, label in zip(row_keys(scored.features), labels, strict=True)]
    else:
        whole = clips.table["start"].isna()
        names = [
            f"{path}\n{label}" if of_all else str(path)
            for path, label, of_all in zip(clips.table["path"], labels, whole, strict=True)
        ]
    return np.asarray(pd.util.hash_array(np.array(names, dtype=object)), dtype=np.uint64)


def tuned_here(run: RunFolder, learn: TrainingData, models: Collection[str]) -> tuple[TunedMember, ...]:
    """List the members whose settings are the best of several trials on clips that are also scored here."""
    steps = read_plan(run.plan_path).steps if run.plan_path.exists() else ()
    chosen = [step for step in steps if step.tuned.trials > 1 and step.member.name in models]
    if not chosen:
        return ()
    hashes = clip_hashes(learn)
    members = [
        TunedMember(
            step.member.name,
            step.tuned.trials,
            step.tuned.metric,
            step.tuned.score,
            step.tuned.share_of(hashes),
        )
        for step in chosen
    ]
    return tuple(member for member in members if member.share >= _LEAST)
