"""What is held out of a search: whole groups or whole folds, and nothing of them is learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.prepare import prepare
from aurist.clips.read import ReadOptions
from aurist.config import FitConfig
from aurist.crossval import fit_member
from aurist.errors import ConfigError
from aurist.models.base import ModelSpec
from aurist.run import HELD_OUT, RunData, held_out, read_data, training_data
from aurist.tuning.holdout import BASELINE, ENOUGH_GROUPS, TUNED, compare_on_holdout, hold_out


def table(n: int = 240, groups: int = 80, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n)
    out = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    out["a"] += 2.0 * label
    out["artist"] = [f"artist{i % groups}" for i in range(n)]
    out["label"] = np.array(["x", "y", "z"])[label]
    return out


def data_of(frame: pd.DataFrame, folder: Path, n_splits: int = 3) -> RunData:
    config = FitConfig(folds=n_splits, jobs=1)
    options = ReadOptions(label="label", group="artist")
    run = prepare(frame, folder / "run", config, options=options, test=None, cache_dir=folder)
    return read_data(run)


def test_whole_groups_are_kept_apart_and_folds_are_made_of_the_rest(tmp_path: Path) -> None:
    data, note = hold_out(data_of(table(), tmp_path), None, 3, seed=0)
    held = data.folds == HELD_OUT
    assert 0.1 < held.mean() < 0.3 and f"{held.sum()} clips in" in note
    assert not set(data.groups[held]) & set(data.groups[~held])
    assert sorted(set(data.folds[~held])) == [0, 1, 2]
    learn = training_data(data)
    seen = {row for split in learn.splits for row in (*split.train, *split.validation, *split.scored)}
    known_clips = set(learn.clip_ids[sorted(seen)])
    apart = held_out(data)
    assert apart is not None and not known_clips & set(apart.clips.table["clip_id"])
    counts = np.bincount(apart.clips.targets(data.task.classes).argmax(axis=1), minlength=3)
    assert counts.min() > 0


def test_of_folds_that_are_prescribed_whole_ones_are_kept_apart(tmp_path: Path) -> None:
    frame = table().assign(fold=np.arange(240) % 5)
    frame["artist"] = [f"artist{i % 80}-{i % 5}" for i in range(240)]
    before = data_of(frame, tmp_path)
    data, _ = hold_out(before, 0.2, 3, seed=0)
    held = data.folds == HELD_OUT
    assert len(set(before.folds[held])) == 1 and held.sum() == 48
    assert sorted(set(data.folds[~held])) == [0, 1, 2, 3]
    # those that are left are the same clips as before
    for fold in range(4):
        assert len(set(before.folds[data.folds == fold])) == 1


def test_what_shares_a_group_with_a_fold_held_out_is_left_out(tmp_path: Path) -> None:
    data = data_of(
        table(groups=77).assign(fold=np.arange(240) % 5), tmp_path
    )  # artists stand in several folds
    kept, note = hold_out(data, 0.2, 3, seed=0)
    held = kept.folds == HELD_OUT
    assert not set(kept.groups[held]) & set(kept.groups[~held])
    assert len(kept.folds) < 240 and f"{240 - len(kept.folds)} clips of the same groups left out" in note


def test_the_test_part_is_never_touched(tmp_path: Path) -> None:
    frame = table()
    frame["split"] = np.where(np.arange(240) % 80 < 16, "test", "train")
    data = data_of(frame, tmp_path)
    assert (data.folds == HELD_OUT).sum() == 48, "the reader must have taken the column as the part"
    kept, _ = hold_out(data, 0.2, 3, seed=0)
    assert set(kept.clips.table["part"]) == {"train"} or "test" not in set(kept.clips.table["part"])
    assert len(kept.folds) == 192 and (kept.folds == HELD_OUT).any()


def test_of_few_groups_nothing_is_held_out_unless_asked_for(tmp_path: Path) -> None:
    data = data_of(table(120, ENOUGH_GROUPS - 1), tmp_path)
    kept, note = hold_out(data, None, 3, seed=0)
    assert not (kept.folds == HELD_OUT).any() and "too few to show" in note
    wanted, _ = hold_out(data, 0.25, 3, seed=0)
    assert (wanted.folds == HELD_OUT).any()
    none, note = hold_out(data, 0.0, 3, seed=0)
    assert not (none.folds == HELD_OUT).any() and "as requested" in note
    with pytest.raises(ConfigError, match="too few to hold some out"):
        hold_out(data.take(np.flatnonzero(data.groups < 4)), 0.2, 3, seed=0)


def test_the_comparison_is_of_the_fold_models_on_what_is_held_out(tmp_path: Path) -> None:
    data, _ = hold_out(data_of(table(), tmp_path), 0.3, 3, seed=0)
    learn, held = training_data(data), held_out(data)
    assert held is not None
    good = ModelSpec("good", "classic", {"kind": "logistic"})
    fit_member(tmp_path / "good", learn, good, 60.0)
    comparison = compare_on_holdout(
        held, {BASELINE: (tmp_path / "good", good), TUNED: (tmp_path / "good", good)}
    )
    assert comparison.clips == len(held.folds) and comparison.groups == len(set(held.groups))
    assert comparison.difference.score == comparison.difference.low == comparison.difference.high == 0
    # of the column that tells, two steps of one standard deviation apart: 79% with the best borders there are
    assert 0.65 < comparison.tuned.score < 0.95
    alone = compare_on_holdout(held, {BASELINE: (tmp_path / "good", good)})
    assert alone.difference is None and alone.original == comparison.tuned
