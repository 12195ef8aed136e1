"""What hangs together, and what a part "test" may be said of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.annotations import CutOptions
from aurist.automl.annotated import read_annotated
from aurist.automl.fit import fit, plan_fit
from aurist.clips import BACKGROUND, Part, make_clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.config import FitConfig
from aurist.errors import DataError
from aurist.inference.predict import predict_clips
from aurist.run import files_of_run, read_data, training_data
from aurist.splits import NEVER_SCORED

from ..small_run import feature_table


def test_near_duplicates_that_join_everything_can_be_told_apart(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 4 * 22050)
    for number in range(8):
        folder = tmp_path / "music" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{number}.wav", sound * 0.95**number, 22050)
    config = FitConfig(time_limit=90, jobs=1)
    with pytest.raises(DataError, match=r"All 8 clips are in one group.*near_duplicates=False"):
        plan_fit(tmp_path / "music", config, cache_dir=tmp_path / "cache")
    apart = FitConfig(time_limit=90, jobs=1, near_duplicates=False)
    assert plan_fit(tmp_path / "music", apart, cache_dir=tmp_path / "cache").members


def test_a_test_part_is_new_where_its_groups_are(tmp_path: Path) -> None:
    table = feature_table(160, seed=1).iloc[:160].drop(columns="ID")
    table["group"] = [f"g{row // 4}" for row in range(160)]
    table["part"] = "train"
    table.loc[120:, "part"] = "test"
    table.loc[120:139, "group"] = [f"g{row % 5}" for row in range(20)]  # that are learnt from
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[member]]\nname = "forest"\nengine = "forest"\n[member.settings]\ntrees = 30\n', encoding="utf-8"
    )
    run = fit(table, tmp_path / "run", FitConfig(plan=str(plan), folds=3, jobs=1))
    held = run.scores().held_out
    assert (held.n, held.seen) == (40, 20)
    assert held.new.score != held.score.score
    applied = predict_clips(files_of_run(run), read_clips(table.iloc[140:].drop(columns="part")))
    truth = table["genre"].iloc[140:].to_numpy()
    assert held.new.score == pytest.approx((applied.to_frame()["label"].to_numpy() == truth).mean())


def test_background_is_learnt_from_and_never_scored(tmp_path: Path) -> None:
    features = feature_table(120, seed=1).iloc[:120].drop(columns=["ID", "genre"])
    labels = [(("wren",), ("owl",), ())[row % 3] for row in range(120)]
    groups = [f"recording {row // 5}" for row in range(120)]
    parts: list[Part] = [BACKGROUND if row % 5 == 4 else "train" for row in range(120)]
    clips = make_clips(labels, groups=groups, parts=parts, features=features, multilabel=True)
    plan = tmp_path / "plan.toml"
    plan.write_text('[[member]]\nname = "ridge"\nengine = "kernel"\n', encoding="utf-8")
    run = fit(clips, tmp_path / "run", FitConfig(plan=str(plan), folds=3, jobs=1))
    data = read_data(run)
    background = np.flatnonzero(data.clips.table["part"] == BACKGROUND)
    assert (data.folds[background] == NEVER_SCORED).all()
    learn = training_data(data)
    for split in learn.splits:
        assert not set(split.scored) & set(background)
        assert set(split.train) & set(background)
        # not that of a recording whose other windows are scored
        assert not set(learn.groups[split.train]) & set(learn.groups[split.scored])
    assert len(run.predictions().query("part == 'oof'")["clip_id"].unique()) == 96


def test_given_features_beside_recordings_do_not_answer_for_them(tmp_path: Path) -> None:
    table = feature_table(90, seed=1).iloc[:90][["genre"]].rename(columns={"genre": "label"})
    rng = np.random.default_rng(0)
    table["path"] = [str(tmp_path / f"{row}.wav") for row in range(90)]
    table["site"] = np.arange(90) % 3  # the same for many, whatever the label
    for path in table["path"]:
        soundfile.write(path, rng.normal(0, 0.1, 4000), 8000)
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[member]]\nname = "forest"\nengine = "forest"\n[member.settings]\ntrees = 30\n', encoding="utf-8"
    )
    options = ReadOptions(features=("site",))
    config = FitConfig(plan=str(plan), folds=3, jobs=1)
    run = fit(table, tmp_path / "run", config, options=options, cache_dir=tmp_path / "cache")
    applied = predict_clips(files_of_run(run), read_clips(table, options))
    assert not applied.seen.any()


def test_a_short_recording_says_how_long_it_must_be(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=20 * 8000)
    soundfile.write(tmp_path / "dawn.wav", noise, 8000)
    (tmp_path / "dawn.csv").write_text("start,end,label\n1,2,wren\n8,9,owl\n")
    clips = read_annotated(tmp_path, tmp_path / "dawn.csv", CutOptions(window=1.0, hop=0.5))
    with pytest.raises(DataError, match=r"of one recording.*windows of 1 s it needs 32 s"):
        plan_fit(clips, FitConfig(time_limit=90, jobs=1), cache_dir=tmp_path / "cache")
