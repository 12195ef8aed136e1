"""Networks that tell when: weak labels in, the times of short calls out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.annotations import CutOptions, make_annotations, to_clips
from aurist.automl.fit import fit
from aurist.clips.read import read_clips
from aurist.config import FitConfig
from aurist.detection.event_times import times_note, times_of
from aurist.detection.export import events_of
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.detection.window_scores import Scores
from aurist.errors import ConfigError
from aurist.events import Grid
from aurist.inference.frames import PARTS
from aurist.run import files_of_run, open_run
from aurist.run.events_file import read_events

pytest.importorskip("timm")

RATE = 8000
HZ = {"low": 400, "high": 2200}
RECIPE = """\
name = "{head}"
[front]
sample_rate = 8000
n_fft = 256
hop_length = 128
n_mels = 16
scale = "standard"
[network]
backbone = "mel_cnn"
head = "{head}"
pool = "avgmax"
[loss]
frames = {frames}
[training]
lr = 5e-3
batch_size = 4
epochs = {epochs}
precision = "32"
keep = "last"
ema = 0.9
"""


def sound(
    kinds: list[str], seconds: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[float, float, str]]]:  # type: ignore[type-arg]
    """Calls of half a second somewhere in noise."""
    t = np.arange(round(seconds * RATE)) / RATE
    y, calls = 0.02 * rng.normal(size=len(t)), []
    for kind in kinds:
        start = rng.uniform(0, seconds - 0.8)
        end = start + rng.uniform(0.4, 0.8)
        i, j = round(start * RATE), round(end * RATE)
        y[i:j] += 0.2 * np.sin(2 * np.pi * HZ[kind] * t[i:j])
        calls.append((start, end, kind))
    return y, calls


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fitted on clips of four seconds, of which only the labels are known: a network that tells when, and one not."""
    folder, rng = tmp_path_factory.mktemp("weak"), np.random.default_rng(0)
    rows = []
    for i in range(40):
        kinds: list[str] = [[], ["low"], ["high"], ["low", "high"]][i % 4]
        soundfile.write(folder / f"{i}.wav", sound(kinds, 4.0, rng)[0], RATE)
        rows.append({"path": f"{i}.wav", "label": ";".join(kinds)})
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    plan = ""
    for head, frames, epochs in (("attention", 0.5, 20), ("linear", 0.0, 2)):
        path = folder / f"{head}.toml"
        path.write_text(RECIPE.format(head=head, frames=frames, epochs=epochs))
        plan += f'[[member]]\nname = "{head}"\nengine = "network"\nrecipe = "{path.as_posix()}"\n'
    (folder / "plan.toml").write_text(plan)
    config = FitConfig(plan=str(folder / "plan.toml"), folds=2, metric="lwlrap", jobs=1)
    fit(read_clips(folder / "labels.csv"), folder / "run", config, cache_dir=folder / "cache")
    return folder / "run"


def test_weak_labels_are_enough_to_find_when(run: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = [sound([("low", "high")[n % 2]], 8.0, rng) for n in range(12)]
    soundfile.write(tmp_path / "long.wav", np.concatenate([y for y, _ in parts]), RATE)
    calls = [
        (8 * n + start, 8 * n + end, kind) for n, (_, calls) in enumerate(parts) for start, end, kind in calls
    ]

    def found_by(model: str) -> float:
        """Share of the calls that an event shares a third of its time with."""
        recordings = [Recording("long.wav", tmp_path / "long.wav")]
        scanned = listen(
            files_of_run(open_run(run)),
            recordings,
            tmp_path / model,
            WindowOptions(4.0, times="windows" if model == "linear" else "frames"),
            model=model,
            progress=False,
            jobs=1,
        )
        scores = scanned.detections.scores(recordings[0])
        assert scores.when.shape[1] == (1 if model == "linear" else PARTS)
        events = events_of(scanned, np.arange(2), np.full(2, 0.5)).table
        hits = 0
        for start, end, kind in calls:
            own = events[events["label"] == kind]
            shared = own["end"].clip(upper=end) - own["start"].clip(lower=start)
            joined = own["end"].clip(lower=end) - own["start"].clip(upper=start)
            hits += bool((shared / joined >= 0.3).any())
        return hits / len(calls)

    assert found_by("attention") >= 0.6
    assert found_by("linear") == 0  # an event of four seconds is no call of half a second
    found_by("Ensemble")
    # labels of whole clips cannot show that frames time events better
    files = files_of_run(open_run(run))
    assert (
        times_of(files, "attention", "auto") == "windows"
        and times_of(files, "attention", "frames") == "frames"
    )
    with pytest.raises(ConfigError, match="linear has no network that scores frames"):
        times_of(files, "linear", "frames")
    with pytest.raises(ConfigError, match="has not learnt in which bands its classes call"):
        times_of(files, "linear", "sound")
    assert "are not shown to time events better" in times_note(files, "attention", "auto", Grid(4.0, 2.0))


def test_frames_cut_events_where_they_are_shown_to_time_them_better(run: Path, tmp_path: Path) -> None:
    """The same network on annotated recordings: its frames find calls of half a second, its windows of 4 s do not."""
    rng, rows = np.random.default_rng(5), []
    for i in range(40):
        kinds: list[str] = [[], ["low"], ["high"], ["low", "high"]][i % 4]
        y, calls = sound(kinds, 4.0, rng)
        soundfile.write(tmp_path / f"{i}.wav", y, RATE)
        rows += [{"path": f"{i}.wav", "start": a, "end": b, "label": kind} for a, b, kind in calls]
    names = [f"{i}.wav" for i in range(40)]
    boxes = make_annotations(rows, "t", recordings=names, root=tmp_path)
    clips = to_clips(boxes, dict.fromkeys(names, 4.0), CutOptions(window=4))
    plan = (run.parent / "plan.toml").read_text().split("[[member]]")[1]
    (tmp_path / "plan.toml").write_text("[[member]]" + plan)
    config = FitConfig(plan=str(tmp_path / "plan.toml"), folds=2, metric="lwlrap", jobs=1)
    fit(clips, tmp_path / "run", config, cache_dir=tmp_path / "cache")
    files = files_of_run(open_run(tmp_path / "run"))
    scores = read_events(files.folder, files.remedy)
    assert scores is not None
    for row in ("attention", "Ensemble"):
        assert scores.frames[row].frames > scores.frames[row].windows + 0.2
        assert times_of(files, row, "windows") == "windows"
        assert "by frames of attention, in steps of 0.2 s" in times_note(files, row, "frames", Grid(4.0, 2.0))
    assert scores.recall.score > 0.2
    # tones are as easily timed by their sound; the better of both is chosen
    assert scores.sound is not None and scores.sound.sound > scores.sound.windows + 0.2
    by_frames = scores.frames["Ensemble"].frames >= scores.sound.sound
    assert scores.times == times_of(files, "Ensemble", "auto") == ("frames" if by_frames else "sound")


def test_parts_are_in_the_order_of_time_and_as_sure_as_the_window_at_the_most() -> None:
    when = np.zeros((2, 4, 1), dtype=np.uint8)
    when[0, 3], when[1, 1], when[1, 2] = 255, 255, 51
    scores = Scores(
        np.array([0.0, 2.0]),
        np.array([4.0, 6.0]),
        np.array([[0.8], [0.4]], dtype=np.float32),
        when,
        np.full(2, np.nan, dtype=np.float32),
    )
    starts, ends, columns = scores.of_parts()
    (scored,) = columns
    assert starts.tolist() == [0, 1, 2, 2, 3, 3, 4, 5]
    assert np.array_equal(ends, starts + 1)
    assert sorted(scored[4:6].tolist()) == pytest.approx([0.4, 0.8])
    assert scored[[0, 1, 7]].tolist() == [0, 0, 0] and scored[6] == pytest.approx(0.08)
