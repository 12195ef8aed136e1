"""How unlike the training clips a clip is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aurist.errors import ConfigError
from aurist.openset import (
    OPEN_SET_ARRAYS,
    Floats,
    OpenSet,
    check_share,
    fit_open_set,
    likeness,
    unlike_note,
)


def clips(
    seed: int, n: int = 120, d: int = 30, classes: int = 4, apart: float = 4.0
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Classes of a Gaussian each, around means that are the same for all seeds."""
    means = np.random.default_rng(99).normal(0, apart, (classes + 1, d))
    rng = np.random.default_rng(seed)
    label = np.arange(n) % classes
    return (means[label] + rng.normal(size=(n, d))).astype(np.float32), np.eye(classes, dtype=np.int8)[label]


def fitted(seed: int = 0, **settings: float) -> OpenSet:
    open_set = fit_open_set(*clips(seed, **settings), 0)  # type: ignore[arg-type]
    assert open_set is not None
    typical = np.sort(open_set.scores(clips(seed + 1, **settings)[0]))  # type: ignore[arg-type]
    return replace(open_set, typical=typical)


def test_a_class_that_was_never_learnt_is_unlike_all_others() -> None:
    open_set = fitted()
    means = np.random.default_rng(99).normal(0, 4.0, (5, 30))
    never = (means[4] + np.random.default_rng(5).normal(size=(50, 30))).astype(np.float32)
    assert (open_set.likeness(never) < 0.05).mean() > 0.9
    assert (open_set.likeness(clips(7)[0]) < 0.05).mean() < 0.15


def test_about_a_share_of_new_clips_has_a_likeness_of_at_most_this_share() -> None:
    rates = np.zeros(3)
    for seed in range(20):
        open_set = fitted(10 * seed, apart=1.0)
        values = open_set.likeness(clips(10 * seed + 2, n=400, apart=1.0)[0])
        rates += [(values <= share).mean() / 20 for share in (0.05, 0.2, 0.5)]
    assert rates == pytest.approx([0.05, 0.2, 0.5], abs=0.03)


def test_distances_are_those_of_mahalanobis() -> None:
    """In two directions that vary alike the score follows from the definition."""
    matrix, targets = clips(0, n=4000, d=2, classes=2, apart=1.0)
    open_set = fit_open_set(matrix[:2000], targets[:2000], 0)
    assert open_set is not None
    ready = np.clip((matrix[:2000] - matrix[:2000].mean(0)) / matrix[:2000].std(0), -3, 3)
    label = targets[:2000].argmax(axis=1)
    means = np.array([ready[label == one].mean(0) for one in (0, 1)])
    within = ready - means[label]
    shared = within.T @ within / 1998
    shared = 0.9 * shared + 0.1 * np.trace(shared) / 2 * np.eye(2)
    apart = ready[:, None] - means[None]
    distance = np.einsum("nki,ij,nkj->nk", apart, np.linalg.inv(shared), apart)
    expected = distance.min(axis=1) / (2 + distance.mean(axis=1))
    np.testing.assert_allclose(open_set.scores(matrix[:2000]), expected, rtol=2e-3, atol=2e-3)


def test_scale_and_units_of_features_do_not_matter() -> None:
    matrix, targets = clips(0)
    factor = np.logspace(-3, 3, matrix.shape[1]).astype(np.float32)
    one, other = fit_open_set(matrix, targets, 0), fit_open_set(matrix * factor + factor, targets, 0)
    assert one is not None and other is not None
    new = clips(3)[0]
    np.testing.assert_allclose(one.scores(new), other.scores(new * factor + factor), atol=0.02)


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(0, 30), st.integers(1, 6)),
        elements=st.floats(-1e6, 1e6, width=32) | st.just(np.float32("nan")),
    ),
    st.integers(1, 4),
    st.booleans(),
)
def test_any_matrix_is_scored_or_refused(matrix: Floats, classes: int, several: bool) -> None:
    rng = np.random.default_rng(0)
    targets = (
        rng.integers(-1, 2, (len(matrix), classes))
        if several
        else np.eye(classes)[rng.integers(0, classes, len(matrix))]
    ).astype(np.int8)
    open_set = fit_open_set(matrix, targets, 0)
    if open_set is None:
        return
    scores = open_set.scores(matrix)
    assert ((scores >= 0) & (scores <= 1 + 1e-5)).all()
    again = OpenSet.from_arrays(open_set.to_arrays())
    np.testing.assert_array_equal(again.scores(matrix), scores)
    values = replace(open_set, typical=np.sort(scores)).likeness(matrix)
    empty = np.isnan(matrix[:, open_set.columns]).all(axis=1)
    assert (np.isnan(values) == empty).all()
    assert ((values[~empty] > 0) & (values[~empty] <= 1)).all()


def test_too_few_rows_or_nothing_that_varies_have_no_score() -> None:
    matrix, targets = clips(0)
    assert fit_open_set(matrix[:5], targets[:5], 0) is None
    assert fit_open_set(np.ones((50, 3), np.float32), np.eye(2, dtype=np.int8)[np.arange(50) % 2], 0) is None
    assert fit_open_set(np.full((50, 3), np.nan, np.float32), targets[:50], 0) is None


@pytest.mark.parametrize("name", [name for name, shape in OPEN_SET_ARRAYS.items() if shape != (0,)])
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    arrays = fitted().to_arrays()
    with pytest.raises(ValueError):
        OpenSet.from_arrays({**arrays, name: arrays[name][:0]})


def test_likeness_counts_the_clip_itself() -> None:
    typical = np.linspace(0, 1, 99).astype(np.float32)
    assert likeness(np.float32([2.0, -1.0]), typical).tolist() == [0.01, 1.0]


def test_the_note_is_silent_about_what_is_to_be_expected() -> None:
    rng = np.random.default_rng(0)
    assert unlike_note(np.linspace(0.01, 1, 100), "recording") is None
    assert unlike_note(None, "recording") is None
    assert unlike_note(np.array([np.nan]), "recording") is None
    note = unlike_note(rng.uniform(0, 0.2, 100), "recording")
    assert note is not None and "of 100 recordings are unlike" in note
    assert "The column likeness of windows.csv" in str(unlike_note(np.full(9, 0.01), "window"))
    assert "Labelled: unknown" in str(unlike_note(np.array([0.01]), "row", 0.05))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 5.0, float("nan")])
def test_a_share_lies_between_0_and_1(share: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        check_share(share)
