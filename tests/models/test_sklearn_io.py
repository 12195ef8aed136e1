"""What the engines of scikit-learn share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
import sklearn.utils
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

from aurist.errors import RunError
from aurist.features.matrix import float_matrix
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.models.engines import engine
from aurist.models.sklearn_io import normal_features, read_skops, write_skops


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
    train, new = features(0, 150), features(1, 40)
    ready = normal_features(train, 0).fit(float_matrix(train))
    peer = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit(float_matrix(train)[:, :2])
    write_skops(tmp_path / "kept.skops", {"ready": ready})
    for one in (ready, read_skops(tmp_path / "kept.skops")["ready"]):
        for rows in (train, new):
            shown = one.transform(float_matrix(rows))
            expected = peer.transform(float_matrix(rows)[:, :2])
            assert shown[:, :2] == pytest.approx(np.clip(expected, -2.575829, 2.575829), abs=1e-5)
            assert np.abs(shown[:, 2:4]).max() < 2.5759
            assert (shown[:, 4] == (rows["mode"] == "major")).all()


def test_what_is_missing_is_the_median() -> None:
    train = features(0, 151)
    ready = normal_features(train, 0).fit(float_matrix(train))
    gone = train.iloc[:1].assign(normal=np.nan, skewed=np.nan)
    assert ready.transform(float_matrix(gone))[0, :2] == pytest.approx([0.0, 0.0], abs=0.02)


def test_a_stored_model_needs_no_pytorch(tmp_path: Path) -> None:
    write_skops(tmp_path / "model.skops", {"seen": [0, 1]})
    code = (
        "import sys; from pathlib import Path; from aurist.models.sklearn_io import read_skops;"
        f"print(read_skops(Path({str(tmp_path / 'model.skops')!r}))['seen'], 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split("\n")[0] == "[0, 1] False"


def test_what_runs_commands_is_not_loaded(tmp_path: Path) -> None:
    """A function of numpy's tests compiles and runs the text that it is given, as a forest's feature names might be."""
    import functools

    import numpy.testing as testing
    import skops.io

    path, marker = tmp_path / "forest.skops", tmp_path / "was here"
    command = f"open({str(marker)!r}, 'w')"
    for dangerous in (
        {"forest": FunctionTransformer(testing.measure, kw_args={"code_str": command})},
        {"forest": functools.partial(testing.measure, command)},
        {"seen": [testing.measure]},
        {"pipeline": FunctionTransformer(np.fromfile)},
        {"pipeline": FunctionTransformer(np.save)},
        {"pipeline": sklearn.datasets.fetch_openml},
        {"pipeline": sklearn.utils.Bunch(a=1)},
    ):
        skops.io.dump(dangerous, path)
        with pytest.raises(
            RunError, match=r"forest\.skops contains types that no model of aurist has, and is not loaded: "
        ):
            read_skops(path)["forest"].transform(np.zeros((1, 1)))
    assert not marker.exists()


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several"])
@pytest.mark.parametrize(
    "member",
    [
        ModelSpec("m", "forest", {"trees": 5}),
        ModelSpec("m", "kernel"),
        *(ModelSpec("m", "classic", {"kind": kind}) for kind in ("svm", "lda", "logistic")),
    ],
    ids=lambda member: member.settings.get("kind", member.engine),
)
def test_the_list_of_types_has_all_that_models_hold(tmp_path: Path, member: ModelSpec, several: bool) -> None:
    shown = features(0, 120)
    targets = np.eye(3, dtype=np.int8)[np.arange(120) % 3]
    if several:
        targets[::7] = 1
    examples = Examples(Inputs(shown), targets, np.linspace(0.5, 1, 120))
    train, validation = examples.take(np.arange(90)), examples.take(np.arange(90, 120))
    task = Task(("a", "b", "c"), several, "log_loss" if not several else "average_precision")
    made = engine(member.engine).fit(tmp_path, task, member, train, validation, 60.0)
    again = engine(member.engine).load(tmp_path, task, member)
    assert again.predict_proba(examples.inputs) == pytest.approx(made.model.predict_proba(examples.inputs))
