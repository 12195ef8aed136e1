"""Features by their ranks, against scikit-learn's QuantileTransformer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import QuantileTransformer

from aurist.features.matrix import float_matrix
from aurist.models.normal_scores import NormalScores


def features(seed: int, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "normal": rng.normal(size=n),
            "skewed": np.exp(3 * rng.normal(size=n)),
            "ties": rng.integers(3, size=n).astype(float),
            "constant": np.ones(n),
            "mode": pd.Categorical(rng.choice(["major", "minor"], n), categories=["major", "minor"]),
        }
    )


def test_features_are_those_of_the_quantile_transformer_but_for_their_ends() -> None:
    train, new = features(0, 150), features(1, 40)
    scores = NormalScores.fit(train, float_matrix(train), 0)
    peer = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit(float_matrix(train)[:, :2])
    read_back = NormalScores.from_arrays(scores.to_arrays(), 5)
    for one in (scores, read_back):
        for rows in (train, new):
            scaled = one.transform(float_matrix(rows))
            expected = peer.transform(float_matrix(rows)[:, :2])
            assert scaled[:, :2] == pytest.approx(np.clip(expected, -2.575829, 2.575829), abs=1e-5)
            assert np.abs(scaled[:, 2:4]).max() < 2.5759
            assert (scaled[:, 4] == (rows["mode"] == "major")).all()
            assert (scaled[:, 5] == (rows["mode"] == "minor")).all()


WHOLE = st.integers(-8, 8).map(float)


@settings(max_examples=60, deadline=None)
@given(
    train=arrays(np.float32, st.tuples(st.integers(2, 130), st.just(2)), elements=WHOLE),
    new=arrays(np.float32, (20, 2), elements=WHOLE),
)
def test_ranks_are_those_of_the_quantile_transformer_with_any_ties(
    train: np.ndarray, new: np.ndarray
) -> None:
    from scipy.special import ndtr

    scores = NormalScores.fit(pd.DataFrame(train), train, 0)
    n_quantiles = min(100, len(train))
    peer = QuantileTransformer(n_quantiles=n_quantiles).fit(train)
    # among equal quantiles, rounding decides whether the first or the last one counts: a step, halved by the mean
    for rows, tolerance in ((new + np.float32(0.5), 1e-4), (new, 0.51 / (n_quantiles - 1) + 1e-4)):
        expected = np.clip(peer.transform(rows), 0.005, 0.995)
        assert ndtr(scores.transform(rows)) == pytest.approx(expected, abs=tolerance)


def test_what_is_missing_is_the_median() -> None:
    train = features(0, 151)
    scores = NormalScores.fit(train, float_matrix(train), 0)
    gone = train.iloc[:1].assign(normal=np.nan, skewed=np.nan)
    assert scores.transform(float_matrix(gone))[0, :2] == pytest.approx([0.0, 0.0], abs=0.02)


def test_a_missing_category_is_a_category_and_a_new_one_is_none() -> None:
    train = pd.DataFrame({"key": pd.Categorical(["a", "b", None, "a"], categories=["a", "b", "c"])})
    scores = NormalScores.fit(train, float_matrix(train), 0)
    new = pd.DataFrame({"key": pd.Categorical(["a", "c", None], categories=["a", "b", "c"])})
    assert scores.transform(float_matrix(new)).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_a_column_without_numbers_is_constant() -> None:
    train = pd.DataFrame({"empty": [np.nan] * 4, "x": [1.0, 2.0, 3.0, 4.0]})
    scaled = NormalScores.fit(train, float_matrix(train), 0).transform(float_matrix(train))
    assert np.isfinite(scaled).all()
    assert len(set(scaled[:, 0].tolist())) == 1


def test_many_categories_are_a_sparse_matrix() -> None:
    rng = np.random.default_rng(0)
    train = pd.DataFrame(
        {"id": pd.Categorical([f"track{i}" for i in range(2000)]), "x": rng.normal(size=2000)}
    )
    matrix = float_matrix(train)
    scores = NormalScores.fit(train, matrix, 0)
    sparse = scores.transform_sparse(matrix)
    assert sparse.nnz <= 4000
    np.testing.assert_array_equal(sparse[:50].toarray(), scores.transform(matrix[:50]))


@pytest.mark.parametrize(
    "change",
    [
        {"numbers": np.array([0, 1, 2, 99])},
        {"quantiles": np.zeros((3, 100))},
        {"quantiles": np.zeros((4, 0))},
        {"codes": np.zeros(1)},
        {"categories": np.array([-1, -1])},
    ],
)
def test_damaged_arrays_are_refused(change: dict[str, np.ndarray]) -> None:
    train = features(0, 150)
    stored = NormalScores.fit(train, float_matrix(train), 0).to_arrays()
    with pytest.raises(ValueError, match=r"differ|no quantiles|beyond"):
        NormalScores.from_arrays(stored | change, 5)
