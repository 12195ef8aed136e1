"""New data is read as the run's own was, whatever the new table alone would look like."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import aurist
from aurist.automl.reading import like_clips, read_inputs
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import DataError
from aurist.features.schema import infer_schema


def test_a_text_that_differs_in_every_row_stays_a_feature(run: aurist.Run, tmp_path: Path) -> None:
    new = pd.DataFrame(
        {"tempo": [0.1, 2.0, 0.3], "energy": 0.0, "valence": 0.0, "noise1": 0.0, "noise2": 0.0}
    )
    new["mode"] = ["major", "minor", "locrian"]
    new.to_csv(tmp_path / "new.csv", index=False)
    applied = aurist.predict(run, tmp_path / "new.csv")
    assert applied.labels() == aurist.predict(run, new).labels() and len(applied.labels()) == 3
    assert any("'mode': taken as missing, never seen: locrian" in note for note in applied.notes)
    single = read_inputs([tmp_path / "new.csv"], ReadOptions(), run).take([1])
    assert aurist.predict(run, single).labels() == applied.labels()[1:2]


def test_a_cell_that_is_no_number_is_named_by_its_row_in_the_file(run: aurist.Run, tmp_path: Path) -> None:
    text = (
        "tempo,energy,valence,noise1,noise2,mode\n0,0,0,0,0,major\nfast,0,0,0,0,major\nslow,0,0,0,0,major\n"
    )
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(DataError, match=r"(?s)row 3, column 'tempo': 'fast'.*row 4, column 'tempo': 'slow'"):
        aurist.predict(run, tmp_path / "new.csv")


TRAIN = "tempo,key,bars,label\n1,1,x,a\n2,2,x,b\n3,C,4,a\n4,C,4,b\n"


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["1", "2", "1"], ["1", "2", "1"]),
        (["1.0", "2.0", "1.0"], ["1", "2", "1"]),
        (["1", "", "C"], ["1", None, "C"]),
        (["1.0", "?", "2.5"], ["1", None, None]),
    ],
)
@pytest.mark.parametrize("form", ["csv", "frame"])
def test_a_category_is_the_same_in_all_its_spellings(
    tmp_path: Path, cells: list[str], right: list[str | None], form: str
) -> None:
    (tmp_path / "train.csv").write_text(TRAIN)
    train = read_clips(tmp_path / "train.csv")
    schema = infer_schema(train.feature_table())
    assert [(column.name, column.kind) for column in schema.columns] == [
        ("tempo", "number"),
        ("key", "category"),
        ("bars", "category"),
    ]
    rows = "".join(f"{i},{cell},4.0\n" for i, cell in enumerate(cells))
    (tmp_path / "new.csv").write_text("tempo,key,bars\n" + rows)
    source = tmp_path / "new.csv" if form == "csv" else pd.read_csv(tmp_path / "new.csv")
    new = read_clips(source, like_clips(ReadOptions(), train), labelled=False)
    ready, _ = schema.apply(new.feature_table(), new.rows)
    assert [None if pd.isna(cell) else cell for cell in ready["key"]] == right
    assert ready["bars"].tolist() == ["4", "4", "4"]


def test_a_number_of_the_run_with_a_telling_name_stays_a_feature() -> None:
    learnt = read_clips(
        pd.DataFrame({"target": [1.5, 2.5], "x": [0, 1], "label": ["a", "b"]}),
        ReadOptions(features=("target", "x")),
    )
    new = pd.DataFrame({"target": [1.5, 2.5], "x": [0, 1]})
    assert read_clips(new, like_clips(ReadOptions(), learnt), labelled=False).features == ("target", "x")


def test_a_feature_that_is_missing_is_named() -> None:
    train = read_clips(pd.DataFrame({"key": ["C", "C"], "x": [0, 1], "label": ["a", "b"]}))
    new = read_clips(pd.DataFrame({"x": [1]}), like_clips(ReadOptions(), train), labelled=False)
    with pytest.raises(DataError, match=r"1 of the 2 feature columns.*missing:\n  'key'"):
        infer_schema(train.feature_table()).apply(new.feature_table())
