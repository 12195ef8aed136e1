"""What the engines of scikit-learn share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import QuantileTransformer

from aurist.models.forest import as_numbers
from aurist.models.kept import normal_features, read_kept, write_kept


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


def test_features_are_those_of_the_quantile_transformer_but_for_their_ends(tmp_path) -> None:
    known, new = features(0, 150), features(1, 40)
    ready = normal_features(known, 0).fit(as_numbers(known))
    peer = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit(as_numbers(known)[:, :2])
    write_kept(tmp_path / "kept.skops", {"ready": ready})
    for one in (ready, read_kept(tmp_path / "kept.skops")["ready"]):
        for rows in (known, new):
            shown = one.transform(as_numbers(rows))
            told = peer.transform(as_numbers(rows)[:, :2])
            assert shown[:, :2] == pytest.approx(np.clip(told, -2.575829, 2.575829), abs=1e-5)
            assert np.abs(shown[:, 2:4]).max() < 2.5759
            assert (shown[:, 4] == (rows["mode"] == "major")).all()


def test_what_is_missing_is_the_median() -> None:
    known = features(0, 151)
    ready = normal_features(known, 0).fit(as_numbers(known))
    gone = known.iloc[:1].assign(normal=np.nan, skewed=np.nan)
    assert ready.transform(as_numbers(gone))[0, :2] == pytest.approx([0.0, 0.0], abs=0.02)
