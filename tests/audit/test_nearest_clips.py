"""The nearest clip of the same class, by groups and by the order of files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from aurist.audit.nearest_clips import agreement, by_group, nearest_in_class, nearest_sentence, sample_rows
from aurist.clips import Clips, make_clips
from aurist.clips.guess import ReadOptions
from aurist.clips.guessed_groups import FILE_NAMES, with_guessed_groups

Floats = npt.NDArray[np.float64]


def recordings(offset: float, n: int = 20, pieces: int = 8, seed: int = 0) -> pd.DataFrame:
    """Features of pieces, those of a recording moved by an offset of its own."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(0, offset, (n, 6)), pieces, axis=0)
    return pd.DataFrame(own + rng.normal(0, 1, (n * pieces, 6)), columns=[f"f{i}" for i in range(6)])


def clips_named(names: Sequence[str], labels: Sequence[str], group: str | None = None) -> Clips:
    clips = make_clips([(label,) for label in labels], paths=list(names))
    return with_guessed_groups(clips, {FILE_NAMES: list(names)}, ReadOptions(group=group), given=False)


NAMES = [f"rec{r:02d}_{k}.wav" for r in range(20) for k in range(8)]
LABELS = ["dog" if r < 10 else "cat" for r in range(20) for _ in range(8)]


def test_pieces_that_sound_alike_are_seen_and_others_are_not() -> None:
    share = nearest_sentence(clips_named(NAMES, LABELS), recordings(3))
    assert share is not None
    assert "in its group (chance: 9%): clips of a group sound alike" in share
    unlike = nearest_sentence(clips_named(NAMES, LABELS), recordings(0))
    assert unlike is not None
    assert "no sign that these sound alike" in unlike


def test_where_names_say_nothing_the_order_warns() -> None:
    names = [f"{n:04d}.wav" for n in range(160)]
    warned = nearest_sentence(clips_named(names, LABELS), recordings(3))
    assert warned is not None
    assert warned.startswith("warning: ")
    assert "in the order of the files" in warned
    assert "give group=" in warned
    mixed = np.random.default_rng(1).permutation(160)
    clean = nearest_sentence(clips_named(names, [LABELS[row] for row in mixed]), recordings(3).iloc[mixed])
    assert clean is not None
    assert "no sign of clips cut from longer recordings" in clean


def test_a_guess_that_is_not_used_is_measured_and_warned_of() -> None:
    names = [f"{label}{n // 40 % 2}_{n % 40}.wav" for n, label in enumerate(LABELS)]
    clips = clips_named(names, LABELS)
    assert clips.grouping is not None
    assert not clips.grouping.used
    warned = nearest_sentence(clips, recordings(3, n=4, pieces=40))
    assert warned is not None
    assert "in its group by name" in warned
    assert 'group="names"' in warned


def test_neighbours_that_given_folds_keep_together_do_no_harm() -> None:
    clips = clips_named([f"{n:04d}.wav" for n in range(160)], LABELS)
    folds = pd.Series([str(n // 8 % 5) for n in range(160)], dtype=object)
    folded = Clips(clips.table.assign(fold=folds), clips.classes)
    sentence = nearest_sentence(folded, recordings(3))
    assert sentence is not None
    assert not sentence.startswith("warning")
    cut = Clips(clips.table.assign(fold=[str(n % 5) for n in range(160)]), clips.classes)
    assert str(nearest_sentence(cut, recordings(3))).startswith("warning")


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_never_warned_of(seed: int) -> None:
    clips = clips_named([f"{n:04d}.wav" for n in range(160)], LABELS)
    sentence = nearest_sentence(clips, recordings(0, seed=seed))
    assert sentence is not None
    assert not sentence.startswith("warning")


def test_the_nearest_clip_is_that_of_scipy_within_the_class() -> None:
    features = recordings(1)
    classes = np.repeat([0, 1, 2], [80, 79, 1]).astype(np.int64)
    nearest = nearest_in_class(features, classes)
    scaled = (features / features.std(ddof=0)).to_numpy()
    far = cdist(scaled, scaled)
    far[classes[:, None] != classes[None, :]] = np.inf
    np.fill_diagonal(far, np.inf)
    assert nearest[:159].tolist() == far[:159].argmin(axis=1).tolist()
    assert nearest[159] == -1


def test_chance_is_the_share_of_pairs_in_a_group() -> None:
    classes = np.zeros(60, dtype=np.int64)
    groups = [str(n // 6) for n in range(60)]
    nearest = np.roll(np.arange(60), 7).astype(np.intp)
    share = by_group(nearest, classes, groups)
    assert share.chance == pytest.approx(5 / 59, abs=0.03)
    everything = agreement(nearest, classes, lambda a, b: np.ones(len(a), dtype=bool))
    assert (everything.share, everything.chance, everything.significant) == (1, 1, False)


def test_copies_count_once_and_neighbours_stay_together_in_a_part() -> None:
    clips = clips_named(NAMES, LABELS)
    features = recordings(3)
    features.iloc[1] = features.iloc[0]
    features.iloc[2] = np.nan
    assert len(sample_rows(clips, features)) == 158
    many = make_clips([("a",)] * 5000, paths=[f"{n}.wav" for n in range(5000)])
    some = sample_rows(many, most=1000)
    assert 900 <= len(some) <= 1060
    assert (np.diff(some) == 1).mean() > 0.9
