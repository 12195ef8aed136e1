"""New data is read as the run's own was, whatever the new table alone would look like."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips.read import ReadOptions, read_clips
from aurist.config import FitConfig
from aurist.errors import DataError
from aurist.features.schema import Schema, infer_schema
from aurist.inference.inputs import like_clips, read_inputs
from aurist.inference.predict import predict_clips
from aurist.records import from_json, to_json
from aurist.run import RunFolder, files_of_run, read_spec


def test_a_text_that_differs_in_every_row_stays_a_feature(run: RunFolder, tmp_path: Path) -> None:
    new = pd.DataFrame(
        {"tempo": [0.1, 2.0, 0.3], "energy": 0.0, "valence": 0.0, "noise1": 0.0, "noise2": 0.0}
    )
    new["mode"] = ["major", "minor", "locrian"]
    new.to_csv(tmp_path / "new.csv", index=False)
    applied = predict_clips(files_of_run(run), tmp_path / "new.csv")
    assert applied.labels() == predict_clips(files_of_run(run), new).labels() and len(applied.labels()) == 3
    assert any(
        "'mode': values that are new in this column are read as missing: locrian" in note
        for note in applied.notes
    )
    single = read_inputs([tmp_path / "new.csv"], ReadOptions(), read_spec(run)).take([1])
    assert predict_clips(files_of_run(run), single).labels() == applied.labels()[1:2]


def test_a_cell_that_is_no_number_is_named_by_its_row_in_the_file(run: RunFolder, tmp_path: Path) -> None:
    text = (
        "tempo,energy,valence,noise1,noise2,mode\n0,0,0,0,0,major\nfast,0,0,0,0,major\nslow,0,0,0,0,major\n"
    )
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(DataError, match=r"(?s)row 3, column 'tempo': 'fast'.*row 4, column 'tempo': 'slow'"):
        predict_clips(files_of_run(run), tmp_path / "new.csv")


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


@pytest.mark.parametrize(
    ("category", "cells", "right"),
    [
        ("1", ["1.0", "01", "1,0", " 1.00 "], ["1"] * 4),
        ("01", ["1", "1.0", "001", "1,000"], ["01"] * 4),
        ("2,5", ["2.5", "2,50", "02.5", "2,5"], ["2,5"] * 4),
        ("1.0", ["True", "1", "1e0", "x"], ["1.0"] * 3 + [None]),
    ],
)
def test_a_category_that_is_a_number_is_named_as_the_run_has_it(
    category: str, cells: list[str], right: list[str | None]
) -> None:
    train = pd.DataFrame({"key": pd.Categorical([category, "C", category]), "x": [1, 2, 3]})
    ready, _ = infer_schema(train).apply(pd.DataFrame({"key": cells, "x": 0}))
    assert [None if pd.isna(cell) else cell for cell in ready["key"]] == right


@pytest.mark.parametrize(
    ("train", "value"),
    [
        ('label,x\na,"120,5"\nb,"1,125"\na,7\n', 1.234),
        ("label;x\na;120,5\nb;1,125\na;7\n", 1.234),
        ('label,x\na,"12,345"\nb,"1,125"\na,7\n', 1234.0),
        ("label,x\na,120.5\nb,1.125\na,7\n", 1234.0),
    ],
)
@pytest.mark.parametrize("form", ["csv", "frame"])
def test_a_comma_that_may_be_either_is_what_it_was_in_the_run(
    tmp_path: Path, train: str, value: float, form: str
) -> None:
    (tmp_path / "train.csv").write_text(train)
    learnt = read_clips(tmp_path / "train.csv")
    schema = from_json(Schema, to_json(infer_schema(learnt.feature_table(), learnt.decimal_commas)))
    assert schema == infer_schema(learnt.feature_table(), learnt.decimal_commas)
    (tmp_path / "new.csv").write_text('x\n"1,234"\n8\n')
    source = tmp_path / "new.csv" if form == "csv" else pd.read_csv(tmp_path / "new.csv", dtype=str)
    new = read_clips(source, like_clips(ReadOptions(), learnt), labelled=False)
    assert new.table["x"].tolist() == [value, 8.0]
    # what can be one thing alone is that
    clear = read_clips(
        pd.DataFrame({"x": ["1,234,567", "2"]}), like_clips(ReadOptions(), learnt), labelled=False
    )
    assert clear.table["x"].tolist() == [1234567.0, 2.0]


def test_how_numbers_are_written_is_kept_with_the_run(tmp_path: Path) -> None:
    rows = [f'{"ab"[i % 2]},"{(i % 2) * 3 + i % 3},{i % 2}25"' for i in range(60)]
    (tmp_path / "train.csv").write_text('label,x\nb,"3,5"\n' + "\n".join(rows) + "\n")
    plan = tmp_path / "plan.toml"
    plan.write_text('[[member]]\nname = "F"\nengine = "forest"\nsettings = {trees = 30}\n')
    config = FitConfig(plan=str(plan), folds=2, jobs=1)
    run = fit(tmp_path / "train.csv", tmp_path / "run", config)
    (tmp_path / "new.csv").write_text('x\n"1,025"\n"4,125"\n')
    assert predict_clips(files_of_run(run), tmp_path / "new.csv").labels() == ["a", "b"]


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
