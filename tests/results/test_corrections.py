"""Corrected clips: right labels, left-out clips, and a table that can be fitted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from aurist.clips import make_clips
from aurist.clips.read import read_clips
from aurist.results.corrections import Corrections, corrected, corrected_table
from aurist.run import RunFolder


def test_where_unlisted_classes_are_unknown_a_wrong_label_is_absent() -> None:
    clips = make_clips(
        [("dog",), ("cat", "dog"), ()],
        clip_ids=["a", "b", "c"],
        absent=[("cat",), (), ("cow",)],
        multilabel=True,
        unannotated="unknown",
    )
    right = corrected(clips, Corrections({"a": ["cat"], "b": []}))
    assert right.table["labels"].tolist() == [("cat",), (), ()]
    assert right.table["absent"].tolist() == [("dog",), ("cat", "dog"), ("cow",)]
    assert clips.table["labels"].tolist()[0] == ("dog",)


def test_clips_of_one_label_need_one() -> None:
    clips = make_clips([("dog",), ("cat",), ()], clip_ids=["a", "b", "c"], parts=["train", "train", "test"])
    right = corrected(clips, Corrections({"a": []}))
    assert right.table["clip_id"].tolist() == ["b", "c"] and right.classes == ("cat",)


def test_the_corrected_table_can_be_fitted(tmp_path: Path, run: RunFolder) -> None:
    run = RunFolder(shutil.copytree(run.folder, tmp_path / "run"))
    clips = run.folder / "clips.parquet"
    stored = pd.read_parquet(clips)
    files = [str(tmp_path / f"{row}.wav") for row in range(len(stored))]
    for file in files:
        Path(file).touch()
    stored.assign(path=files, start=1.0, end=2.0).to_parquet(clips)
    first, second, third = stored["clip_id"].head(3)
    labels = list(corrected_table(run, Corrections())["label"])
    other = next(label for label in labels if label != labels[0])
    table = corrected_table(run, Corrections({first: [other]}, [second]))
    assert table["clip_id"].head(2).tolist() == [first, third]
    assert table["label"].tolist() == [other, *labels[2:]]
    table.to_csv(tmp_path / "corrected.csv", index=False)
    again = read_clips(tmp_path / "corrected.csv")
    assert again.table["start"].eq(1.0).all() and len(again) == len(stored) - 1
