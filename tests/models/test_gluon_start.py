"""AutoGluon without work that only its log needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aurist.system import may_have_gpu

FIT = """
import sys
import numpy as np, pandas as pd
from aurist.models.gluon_start import shorten_start
shorten_start()
from autogluon.tabular import TabularPredictor
from autogluon.common.utils import utils
rng = np.random.default_rng(0)
table = pd.DataFrame({"a": rng.normal(size=60), "label": ["x", "y"] * 30})
TabularPredictor("label", verbosity=0).fit(table, hyperparameters={"GBM": {"num_boost_round": 2}})
print("torch" in sys.modules, utils.get_package_versions.cache_info().misses)
"""


@pytest.mark.skipif(may_have_gpu(), reason="PyTorch is asked for the GPUs")
def test_a_booster_is_fitted_without_pytorch_and_with_one_look_at_the_packages(tmp_path) -> None:
    pytest.importorskip("autogluon.tabular")
    result = subprocess.run(
        [sys.executable, "-c", FIT], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["False", "1"]
