"""Likely label errors: labels that were swapped on purpose are the ones that are listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips import make_clips
from aurist.config import FitConfig
from aurist.results.label_errors import likely_label_errors
from aurist.run import RunFolder

from ..small_run import LDA

N = 120
WRONG = (3, 40, 77, 101)


def fitted(folder: Path, multilabel: bool) -> RunFolder:
    """Two classes that are told apart easily; the labels of four rows are wrong."""
    folder.mkdir(exist_ok=True)
    (folder / "plan.toml").write_text(LDA)
    rng = np.random.default_rng(0)
    truth = np.arange(N) % 2
    features = pd.DataFrame(rng.normal(size=(N, 3)) + 5 * truth[:, None], columns=list("xyz"))
    given = np.where(np.isin(np.arange(N), WRONG), 1 - truth, truth)
    labels = [("dog",) if value else (() if multilabel else ("cat",)) for value in given]
    clips = make_clips(
        labels, clip_ids=[f"c{row}" for row in range(N)], features=features, multilabel=multilabel
    )
    return fit(clips, folder / "run", FitConfig(plan=str(folder / "plan.toml"), jobs=1, folds=4))


@pytest.mark.parametrize("multilabel", [False, True])
def test_swapped_labels_are_listed(tmp_path: Path, multilabel: bool) -> None:
    run = fitted(tmp_path, multilabel)
    table = likely_label_errors(run)
    assert set(table["clip_id"]) >= {f"c{row}" for row in WRONG}
    assert len(table) <= len(WRONG) + 4
    assert set(table["clip_id"].head(len(WRONG))) == {f"c{row}" for row in WRONG}
    row = table.set_index("clip_id").loc["c3"]  # its truth is dog
    assert (row["label"], row["suggestion"]) == ("" if multilabel else "cat", "dog")
    assert row["suggested"] > 0.5 > row["given"]


def test_few_labels_are_listed_where_all_are_right(tmp_path: Path, run: RunFolder) -> None:
    table = likely_label_errors(run)  # classes that overlap
    assert 0 < len(table) < 60
    assert (table["label"] != table["suggestion"]).all()
    assert len(likely_label_errors(run, most=3)) == 3
