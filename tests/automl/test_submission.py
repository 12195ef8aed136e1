from __future__ import annotations

import pandas as pd
import pytest

import aurist
from aurist.automl import Applied, submission

from .conftest import feature_table


@pytest.fixture(scope="module")
def applied(run: aurist.Run) -> Applied:
    new = feature_table(20, seed=3).drop(columns="genre").assign(ID=[f"TEST_{i}" for i in range(32)])
    return aurist.predict(run, aurist.read_clips(new, labelled=False))


def test_the_samples_columns_ids_and_order_are_kept(applied: Applied) -> None:
    sample = pd.DataFrame({"ID": [f"TEST_{i}" for i in (5, 3, 8)], "genre": "Pop"})
    made = submission(applied, sample, "sample.csv")
    assert made["ID"].tolist() == sample["ID"].tolist()
    labels = dict(zip(applied.clips.table["clip_id"], applied.labels(), strict=True))
    assert made["genre"].tolist() == [labels[name] for name in sample["ID"]]


def test_a_column_for_each_class_gets_its_probability(applied: Applied) -> None:
    sample = pd.DataFrame({"ID": ["TEST_1"], "rock": 0.0, "folk": 0.0})
    made = submission(applied, sample, "sample.csv")
    assert made["rock"].iloc[0] == applied.proba[1, applied.classes.index("rock")]


def test_ids_that_were_not_predicted_are_listed(applied: Applied) -> None:
    sample = pd.DataFrame({"ID": ["TEST_1", "X7", "X8"], "genre": "Pop"})
    with pytest.raises(aurist.DataError, match=r"(?s)2 of its 3 ids were not predicted.*X7.*X8"):
        submission(applied, sample, "sample.csv")


def test_columns_that_are_no_classes_are_listed(applied: Applied) -> None:
    sample = pd.DataFrame({"ID": ["TEST_1"], "rock": 0.0, "polka": 0.0})
    with pytest.raises(aurist.DataError, match=r"(?s)polka.*folk, rap, rock"):
        submission(applied, sample, "sample.csv")
