"""Clips with calls mixed with background: which are mixed, how, and that they are near no scored clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.annotations import CutOptions, make_annotations, to_clips
from aurist.audio import read
from aurist.automl.annotated import read_annotated
from aurist.automl.background import (
    NOT_MIXED,
    SNR,
    draw_pairs,
    gaps_between_calls,
    mixtures_again,
    mixtures_of,
    n_mixed,
    with_mixtures,
)
from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.crossval import TrainingData
from aurist.errors import ConfigError
from aurist.run import RunData, RunFolder, read_data, training_data

RATE = 8000
PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\n'


def write_field(folder: Path, n_quiet: int) -> Path:
    """Write recordings of 8 s with two calls of one class each, and quiet ones with louder noise and no call."""
    (folder / "sounds").mkdir(parents=True)
    rng, rows, t = np.random.default_rng(0), ["path,start,end,label"], np.arange(RATE) / RATE
    for number in range(8 + n_quiet):
        label, hz = (("low", 500), ("high", 2000))[number % 2]
        y = 0.01 * rng.normal(size=8 * RATE)
        if number < 8:
            for start in (1, 5):
                y[start * RATE : (start + 1) * RATE] += 0.2 * np.sin(2 * np.pi * hz * t)
                rows.append(f"{number}.wav,{start},{start + 1},{label}")
        else:
            y *= 10
            rows.append(f"{number}.wav,0,0,")
        sf.write(folder / "sounds" / f"{number}.wav", y, RATE)
    (folder / "calls.csv").write_text("\n".join(rows) + "\n")
    (folder / "plan.toml").write_text(PLAN)
    return folder


def fitted(folder: Path, **settings: int) -> RunFolder:
    clips = read_annotated(folder / "sounds", folder / "calls.csv", CutOptions(window=1))
    config = replace(FitConfig(plan=str(folder / "plan.toml"), jobs=1, folds=3, embeddings=()), **settings)
    return fit(clips, folder / f"run{len(settings)}", config, cache_dir=folder / "cache")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return fitted(write_field(tmp_path_factory.mktemp("field"), 6))


@pytest.fixture
def data(run: RunFolder) -> RunData:
    return read_data(run)


@pytest.fixture
def learn(data: RunData) -> TrainingData:
    return training_data(data)


def test_pairs_are_calls_with_background_of_quiet_recordings_of_their_fold(learn: TrainingData) -> None:
    calls, background = draw_pairs(learn, 3)
    targets = learn.examples.targets
    with_call = np.flatnonzero((targets == 1).any(axis=1))
    assert len(with_call) == 16 and sorted(calls.tolist()) == sorted([*with_call] * 3)
    assert (learn.folds[calls] == learn.folds[background]).all()
    assert not set(learn.groups[background]) & set(learn.groups[with_call])
    again = draw_pairs(learn, 3)
    assert np.array_equal(calls, again[0]) and np.array_equal(background, again[1])
    assert not len(draw_pairs(learn, 0)[0])


def test_no_mixture_is_near_a_scored_or_a_validation_clip(
    run: RunFolder, data: RunData, learn: TrainingData, tmp_path: Path
) -> None:
    mixtures = mixtures_of(run, data, learn, 32, tmp_path)
    for split in learn.splits:
        kept = mixtures.within(split.train)
        groups = [set(learn.groups[rows].tolist()) for rows in (split.scored, split.validation)]
        of_pairs = np.isin(mixtures.calls, split.train) & np.isin(mixtures.background, split.train)
        assert len(kept.targets) == of_pairs.sum() > 0
        used = np.concatenate([mixtures.calls[of_pairs], mixtures.background[of_pairs]])
        assert not set(learn.groups[used].tolist()) & (groups[0] | groups[1])
        assert (kept.targets == learn.examples.targets[mixtures.calls[of_pairs]]).all()


def test_the_background_has_a_level_in_the_range(
    run: RunFolder, data: RunData, learn: TrainingData, tmp_path: Path
) -> None:
    mixtures_of(run, data, learn, 8, tmp_path)
    calls, _ = draw_pairs(learn, run.config().mix_background)
    clips = learn.examples.inputs.clips
    assert clips is not None
    for number, call in enumerate(calls[:8]):
        path, start, end = clips.table.loc[call, ["path", "start", "end"]]
        y, _ = read(clips.file(path), start=start, end=end)
        mixture, rate = read(tmp_path / f"{number:05}.flac")
        assert rate == RATE and len(mixture) == len(y)
        snr = 10 * np.log10(np.mean(y**2) / np.mean((mixture - y) ** 2))
        assert SNR[0] - 0.1 <= snr <= SNR[1] + 0.1


def test_a_fit_learns_from_mixtures_scores_none_and_shows_their_gain(
    run: RunFolder, learn: TrainingData
) -> None:
    assert n_mixed(run) == 32
    ids = {name for model in run.out_of_fold(learn.task.classes).values() for name in model.clip_id}
    assert ids == set(learn.clip_ids[learn.folds >= 0])
    variants = run.variants()
    assert variants is not None
    row = variants.set_index("variant").loc[NOT_MIXED]
    assert row["low"] <= row["gain"] <= row["high"]
    assert not (run.folder / "mixed").exists(), "their sound is not kept"


def test_an_export_on_all_clips_mixes_the_same_again(
    run: RunFolder, learn: TrainingData, tmp_path: Path
) -> None:
    again = mixtures_again(run, learn, tmp_path)
    assert again is not None and len(again.calls) == 32
    assert len(again.within(np.arange(len(learn.clip_ids))).targets) == 32


def test_time_limits_how_many_there_are(
    run: RunFolder, data: RunData, learn: TrainingData, tmp_path: Path
) -> None:
    new = RunFolder(tmp_path)
    for name in ("config.toml", "data.json"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    added = with_mixtures(new, data, learn, 1e-3).added
    assert n_mixed(new) == 16 and max(len(one.targets) for one in added.values()) <= 16
    assert with_mixtures(new, data, learn, 1e9).added.keys() == added.keys() and n_mixed(new) == 16, (
        "as decided"
    )


def test_without_quiet_recordings_gaps_between_calls_of_other_recordings_are_background(
    tmp_path: Path,
) -> None:
    learn = training_data(read_data(fitted(write_field(tmp_path / "loud", 0))))
    calls, background = draw_pairs(learn, 2)
    assert len(calls) == 32 and (learn.groups[calls] != learn.groups[background]).all()
    assert (learn.folds[calls] == learn.folds[background]).all()
    clips = learn.examples.inputs.clips
    assert clips is not None
    # calls are at 1 and 5 s, and windows of a second have no overlap
    assert set(clips.table["start"].iloc[background]) == {0, 2, 3, 4, 6, 7}
    assert not gaps_between_calls(replace(clips, unannotated="unknown"), len(clips)).any()
    assert not gaps_between_calls(None, 3).any()


def test_a_clip_that_touches_a_box_is_no_gap() -> None:
    rows = [
        {"path": "a", "start": 1.9, "end": 4.0, "label": "x"},
        {"path": "a", "start": 2.5, "end": 3.0, "label": "y"},
    ]
    clips = to_clips(make_annotations(rows, "t"), {"a": 7.0, "b": 3.0}, CutOptions(window=1))
    table = clips.table.assign(gap=gaps_between_calls(clips, len(clips)))
    assert table.loc[table["path"] == "a", "gap"].tolist() == [True, False, False, False, True, True, True]


def test_by_choice_or_without_background_nothing_is_mixed(tmp_path: Path) -> None:
    write_field(tmp_path / "loud", 0)
    run = fitted(tmp_path / "loud", mix_background=0)
    assert n_mixed(run) is None and mixtures_again(run, training_data(read_data(run)), tmp_path) is None
    variants = run.variants()
    assert variants is None or NOT_MIXED not in set(variants["variant"])
    with pytest.raises(ConfigError, match="mix_background is -1"):
        FitConfig(mix_background=-1)
