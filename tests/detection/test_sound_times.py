"""Events that are trimmed to the sound of their class: short calls in long windows, scored by a forest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.annotations import CutOptions, make_annotations, to_clips
from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.detection.event_times import times_note, times_of
from aurist.detection.export import events_of
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.errors import ConfigError, RunError
from aurist.events import Grid, find_events
from aurist.run import files_of_run, open_run
from aurist.run.call_spectra_file import NAME
from aurist.run.events_file import SoundScores, better_times, read_events

RATE, WINDOW = 8000, 2.0
HZ = {"low": 500, "high": 2200}
PLAN = '[[member]]\nname = "Forest"\nengine = "forest"\n[member.settings]\ntrees = 40\n'


def sound(kinds: list[str], seconds: float, rng: np.random.Generator):
    """Tones of 0.3 to 0.5 s, at least two seconds from the next, in noise; and their boxes."""
    t = np.arange(round(seconds * RATE)) / RATE
    y, boxes = 0.02 * rng.normal(size=len(t)), []
    for number, kind in enumerate(kinds):
        start = 4 * number + rng.uniform(0.2, 1.4)
        end = start + rng.uniform(0.3, 0.5)
        i, j = round(start * RATE), round(end * RATE)
        y[i:j] += 0.1 * np.sin(2 * np.pi * HZ[kind] * t[i:j])
        boxes.append((start, end, kind))
    return y, boxes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng, rows = tmp_path_factory.mktemp("tones"), np.random.default_rng(0), []
    names = [f"{number}.wav" for number in range(24)]
    for number, name in enumerate(names):
        kinds: list[str] = [[], ["low", "low"], ["high", "high"], ["low", "high"]][number % 4]
        y, boxes = sound(kinds, 8.0, rng)
        soundfile.write(folder / name, y, RATE)
        rows += [{"path": name, "start": start, "end": end, "label": kind} for start, end, kind in boxes]
    annotations = make_annotations(rows, "t", recordings=names, root=folder)
    clips = to_clips(annotations, dict.fromkeys(names, 8.0), CutOptions(window=WINDOW, hop=WINDOW / 2))
    (folder / "plan.toml").write_text(PLAN)
    config = FitConfig(plan=str(folder / "plan.toml"), folds=3, metric="lwlrap", jobs=1)
    fit(clips, folder / "run", config, cache_dir=folder / "cache")
    return folder / "run"


def scanned(run: Path, output: Path, times: str = "auto"):
    """Scan a recording with six calls; return the scan, its recording and the true calls."""
    y, boxes = sound(["low", "high"] * 3, 24.0, np.random.default_rng(7))
    soundfile.write(output.with_suffix(".wav"), y, RATE)
    recording = Recording("night.wav", output.with_suffix(".wav"))
    options = WindowOptions(times=times)
    return listen(files_of_run(open_run(run)), [recording], output, options, progress=False), recording, boxes


def right(events, boxes) -> int:
    """Count the calls with an event of their class that shares half of the time of both."""
    hits = 0
    for start, end, kind in boxes:
        own = events[events["label"] == kind]
        shared = own["end"].clip(upper=end) - own["start"].clip(lower=start)
        joined = own["end"].clip(lower=end) - own["start"].clip(upper=start)
        hits += bool((shared / joined >= 0.5).any())
    return hits


def test_events_are_trimmed_where_it_is_shown_to_be_better(run: Path, tmp_path: Path) -> None:
    files = files_of_run(open_run(run))
    scores = read_events(files.folder, files.remedy)
    assert scores is not None and scores.sound is not None
    assert scores.sound.sound > scores.sound.windows + 0.3 and scores.times == "sound"
    assert "trimmed to the sound of the class) touch" in scores.sentence()
    assert times_of(files, "Ensemble", "auto") == times_of(files, "Forest", "auto") == "sound"
    note = times_note(files, "Forest", "auto", Grid(2.0, 1.0))
    assert "by windows of 2 s, one every 1 s, trimmed to the sound of the class in steps of 0.1 s" in note
    assert "the sound of the class is not asked for" in times_note(files, "Forest", "windows", Grid(2.0, 1.0))
    scan, recording, boxes = scanned(run, tmp_path / "sound")
    stored = scan.detections.scores(recording)
    assert stored.levels is not None and stored.levels.shape == (23, 20, 2)
    assert right(events_of(scan, np.arange(2), np.full(2, 0.4)).table, boxes) == 6
    by_windows, _, _ = scanned(run, tmp_path / "windows", "windows")
    assert right(events_of(by_windows, np.arange(2), np.full(2, 0.4)).table, boxes) == 0


def test_trimmed_events_lie_in_those_of_windows(run: Path, tmp_path: Path) -> None:
    scan, recording, _ = scanned(run, tmp_path / "sound")
    stored = scan.detections.scores(recording)
    thresholds = np.array([0.3, 0.3])
    whole = find_events(stored.starts, stored.ends, stored.proba, thresholds)
    assert whole == replace(stored, levels=None).events(thresholds)
    trimmed = stored.events(thresholds)
    assert {event.score for event in trimmed} == {event.score for event in whole}
    for event in trimmed:
        assert any(
            one.column == event.column and one.start <= event.start < event.end <= one.end for one in whole
        )
    # the columns of some classes alone, as for a page
    of_second = scan.detections.scores(recording, np.array([1])).events(thresholds[1:])
    assert [event._replace(column=1) for event in of_second] == [one for one in trimmed if one.column == 1]


def test_detections_go_on_by_what_they_began_with(run: Path, tmp_path: Path) -> None:
    scan, recording, _ = scanned(run, tmp_path / "night")
    with pytest.raises(ConfigError, match="sound: True in the folder, None now"):
        scanned(run, tmp_path / "night", "windows")
    again, _, _ = scanned(run, tmp_path / "night")
    np.testing.assert_array_equal(
        again.detections.scores(recording).levels, scan.detections.scores(recording).levels
    )


def test_what_is_missing_or_damaged_is_named(run: Path, tmp_path: Path) -> None:
    files = files_of_run(open_run(run))
    kept = (run / NAME).read_bytes()
    try:
        (run / NAME).write_bytes(kept[:40])
        with pytest.raises(RunError, match=NAME):
            times_of(files, "Forest", "auto")
        (run / NAME).unlink()
        assert times_of(files, "Forest", "auto") == "windows"
        with pytest.raises(ConfigError, match="has not learnt in which bands"):
            times_of(files, "Forest", "sound")
    finally:
        (run / NAME).write_bytes(kept)


def test_of_two_better_ways_the_one_with_the_higher_f1_is_taken() -> None:
    from aurist.metrics import Interval
    from aurist.run.events_file import FrameScores

    sure, unsure = Interval(0.2, 0.1, 0.3), Interval(0.2, -0.1, 0.4)
    assert better_times(FrameScores(0.3, 0.5, sure), SoundScores(0.3, 0.5, sure)) == "frames"
    assert better_times(FrameScores(0.3, 0.5, sure), SoundScores(0.3, 0.6, sure)) == "sound"
    assert better_times(FrameScores(0.3, 0.5, sure), SoundScores(0.3, 0.6, unsure)) == "frames"
    assert better_times(FrameScores(0.3, 0.5, unsure), SoundScores(0.3, 0.6, sure)) == "sound"
    assert better_times(FrameScores(0.3, 0.5, unsure), SoundScores(0.3, 0.6, unsure)) == "windows"
    assert better_times(None, SoundScores(0.3, 0.6, sure)) == "sound"
    assert better_times(None, None) == "windows"
