"""Make the frozen model folder of the tests; run it only for a new format: python tests/export/freeze.py"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.export import ExportOptions, export_run

FROZEN = Path(__file__).parent / "frozen" / "format1"
PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 5}

[[member]]
name = "LightGBM"
engine = "autogluon"
settings = {kind = "GBM", num_boost_round = 5}

[[member]]
name = "XGBoost"
engine = "autogluon"
settings = {kind = "XGB", n_estimators = 5}

[[member]]
name = "KernelRidge"
engine = "kernel"

[[member]]
name = "SVM"
engine = "classic"
settings = {kind = "svm"}

[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}
"""


def main() -> None:
    """Fit small models of every kind, and export them."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from small_run import feature_table

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plan.toml").write_text(PLAN)
        config = FitConfig(
            plan=str(Path(folder) / "plan.toml"), folds=2, metric="log_loss", ensemble_size=None
        )
        run = fit(feature_table(90), Path(folder) / "run", config)
        print(run.leaderboard())
        result = export_run(run, FROZEN, ExportOptions(with_duplicates=True, licence="Apache-2.0"))
        print(result)


if __name__ == "__main__":
    main()
