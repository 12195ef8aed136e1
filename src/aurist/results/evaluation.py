"""Score a run on labelled data that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.clips.read import ReadOptions, Source, read_clips
from aurist.errors import DataError, listing, plural
from aurist.files import write_csv, write_json
from aurist.inference.clip_predictions import PROBABILITY, ClipPredictions
from aurist.inference.inputs import like_run
from aurist.inference.predictor import Predictor
from aurist.plots import can_draw, plot_confusion
from aurist.results.bootstrap import all_scores
from aurist.results.learnt_groups import in_groups_of, learnt_note, of_learnt_groups
from aurist.results.tables import confusion, per_class
from aurist.run import ModelFiles, read_data
from aurist.splits import group_codes


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation.

    Parameters
    ----------
    applied
        The predictions.
    scores
        A table of metrics with intervals for "all rows". A second one for "new rows", if some rows or their groups are
        in the training data.
    per_class
        One row for each class.
    confusion
        (n_classes, n_classes), truth by prediction; None if clips may have several labels.
    """

    applied: ClipPredictions
    scores: dict[str, pd.DataFrame]
    per_class: pd.DataFrame
    confusion: npt.NDArray[np.int64] | None

    def confusion_table(self) -> pd.DataFrame:
        """Return the confusion matrix with the names of the classes."""
        names = list(self.applied.classes)
        table = pd.DataFrame(self.confusion, columns=names)
        table.insert(0, "truth", names)
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as a dictionary for JSON."""
        return {
            "scores": {title: table.to_dict("records") for title, table in self.scores.items()},
            "per_class": self.per_class.to_dict("records"),
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "classes": list(self.applied.classes),
        }

    def write(self, folder: Path, *, safe_csv: bool = False) -> None:
        """Write ``evaluation.json predictions.csv per_class.csv confusion.csv confusion.png``.

        With ``safe_csv`` no text is written that a spreadsheet would read as a formula.
        """
        write_json(folder / "evaluation.json", self.to_dict())
        tables = {"per_class": self.per_class}
        if self.confusion is not None:
            tables["confusion"] = self.confusion_table()
            if can_draw("confusion.png"):
                plot_confusion(self.confusion, self.applied.classes, folder / "confusion.png")
        for name, table in tables.items():
            write_csv(table, folder / f"{name}.csv", safe=safe_csv, float_format="%.6g")
        predictions = self.applied.to_frame()
        write_csv(predictions, folder / "predictions.csv", safe=safe_csv, float_format=PROBABILITY)


def evaluate_run(
    files: ModelFiles,
    source: Source,
    *,
    options: ReadOptions | None = None,
    model: str | None = None,
    jobs: int = 0,
    cache_dir: Path | None = None,
) -> Evaluation:
    """Predict labelled data and score the predictions; labels as `aurist.inference.predict.predict_clips` names them.

    Raises
    ------
    DataError
        If the data has no labels or labels that the run does not know, or if no clip could be read.
    """
    predictor = Predictor(files, model)
    clips = read_clips(source, like_run(options or ReadOptions(), files.spec))
    # a model folder does not hold the data that it was fitted on
    data = None if files.run is None else read_data(files.run)
    if data is not None:
        clips = in_groups_of(data, clips)
    applied = predictor.predict(clips, jobs=jobs, cache_dir=cache_dir)
    _check_labels(clips, applied)
    rows = np.array([row for row in range(len(clips)) if row not in applied.failures], dtype=np.intp)
    if len(rows) == 0:
        raise DataError(f"None of {plural(len(clips), 'clip')} could be read; nothing was scored.")
    truth = clips.targets(applied.classes)[rows]
    learnt = np.zeros(len(rows), dtype=bool) if data is None else of_learnt_groups(data, clips)[rows]
    if learnt.any():
        applied = replace(applied, notes=(*applied.notes, learnt_note(learnt)))
    proba, new = applied.proba[rows], ~(applied.seen[rows] | learnt)
    groups = _groups(clips)[rows]
    multilabel, named = applied.multilabel, applied.named()[rows]
    scores = {"all rows": all_scores(truth, proba, groups, multilabel=multilabel, named=named)}
    if new.any() and not new.all():
        others = "the others are in the training data" + (", or in its groups" if learnt.any() else "")
        title = f"new rows ({new.sum():,} of {len(new):,}; {others})"
        scores[title] = all_scores(
            truth[new], proba[new], groups[new], multilabel=multilabel, named=named[new]
        )
    return Evaluation(
        applied,
        scores,
        per_class(truth, proba, applied.classes, multilabel=multilabel, named=named),
        None if multilabel else confusion(truth, proba),
    )


def _groups(clips: Clips) -> npt.NDArray[np.int64]:
    return group_codes(clips.table["group"].tolist(), clips.table["clip_id"].tolist())


def _check_labels(clips: Clips, applied: ClipPredictions) -> None:
    unknown = sorted(set(clips.classes) - set(applied.classes))
    if not unknown:
        return
    counts = {name: sum(name in labels for labels in clips.table["labels"]) for name in unknown}
    rows = [f"{name} ({plural(count, 'clip')})" for name, count in counts.items()]
    raise DataError(
        f"{plural(len(unknown), 'label')} of this data {'is no class' if len(unknown) == 1 else 'are no classes'} of "
        "the run, which cannot predict them:\n"
        f"{listing(rows)}\n"
        f"The run knows: {', '.join(applied.classes)}. Rename these labels, or leave those clips out."
    )
