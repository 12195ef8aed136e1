"""New recordings that differ from those learnt from: one line for each kind, and none for like ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aurist.detection.unlike_recordings import differences, mix_note
from aurist.errors import RunError
from aurist.features.profiles import OCTAVES, Profiles
from aurist.files import write_arrays
from aurist.run.profiles_file import NAME, read_profiles, write_profiles

HIGHEST = 10_000.0


def recordings(
    n: int, *, reach: float = 11_025.0, level: float = -30.0, low_octave: float = 0.0, seed: int = 0
) -> Profiles:
    """Recordings with a background that varies by some dB; ``low_octave`` is added to that at 125 Hz."""
    rng = np.random.default_rng(seed)
    octaves = rng.normal(0, 1.5, (n, len(OCTAVES)))
    octaves[:, 0] += low_octave
    octaves[:, 1.1 * reach < OCTAVES * 1.41] = np.nan
    octaves -= np.nanmean(octaves, axis=1, keepdims=True)
    return Profiles(np.full(n, reach), rng.normal(level, 2, n), octaves)


def test_like_recordings_are_passed_in_silence() -> None:
    learnt = recordings(40)
    for new in (
        recordings(8, seed=1),
        recordings(8, seed=2, reach=24_000.0),
        recordings(8, seed=3, level=-60),
    ):
        assert differences(learnt, new, HIGHEST, level=False) == []
    none = recordings(0)
    assert (
        differences(none, learnt, HIGHEST, level=True) == differences(learnt, none, HIGHEST, level=True) == []
    )


@pytest.mark.parametrize(
    ("new", "learnt", "expected"),
    [
        (recordings(8, reach=4000.0, seed=1), recordings(40), "8 of 8 recordings hold no sound above 4,000 Hz"),
        (recordings(8, seed=1), recordings(40, reach=4000.0), "8 of 8 recordings reach 10,000 Hz"),
        (recordings(8, low_octave=25.0, seed=1), recordings(40), "most around 125 Hz (+"),
        (recordings(8, level=-70, seed=1), recordings(40), "level: 8 of 8 recordings have a level of about -"),
    ],
)  # fmt: skip
def test_each_kind_is_one_line(new: Profiles, learnt: Profiles, expected: str) -> None:
    notes = differences(learnt, new, HIGHEST, level=True)
    assert len(notes) == 1 and expected in notes[0]


def test_few_that_differ_are_no_news() -> None:
    one, others = recordings(1, low_octave=25.0, seed=1), recordings(7, seed=2)
    both = Profiles(
        *(np.concatenate(pair) for pair in zip(vars(one).values(), vars(others).values(), strict=True))
    )
    assert differences(recordings(40), both, HIGHEST, level=True) == []


def test_few_events_and_common_classes_are_no_unusual_mix() -> None:
    shares = {"wren": 0.3, "owl": 0.02}
    assert mix_note({"owl": 19}, shares) is None and mix_note({}, shares) is None
    assert mix_note({"wren": 500}, shares) is None
    assert mix_note({"owl": 30, "wren": 40}, shares) is None
    assert "57% of 70 events are owl, which had 6% of the labels" in str(
        mix_note({"owl": 40, "wren": 30}, shares)
    )


def test_the_file_gives_back_what_was_written_and_names_damage(tmp_path: Path) -> None:
    assert read_profiles(tmp_path, "Fit again.") is None
    write_profiles(tmp_path, recordings(5))
    read = read_profiles(tmp_path, "Fit again.")
    assert read is not None and np.array_equal(read.octaves, recordings(5).octaves, equal_nan=True)
    write_arrays(tmp_path / NAME, {"reach": np.zeros(2), "level": np.zeros(3), "octaves": np.zeros((2, 11))})
    with pytest.raises(RunError, match=r"recordings.npz is damaged.*Fit again"):
        read_profiles(tmp_path, "Fit again.")
