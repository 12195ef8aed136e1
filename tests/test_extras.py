"""The base installation: what it can do with the libraries of the extras out of reach."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from aurist.errors import MissingExtraError
from aurist.extras import MODULES, has_extra, need_extra

from .command import start
from .small_run import feature_table

ROOT = Path(__file__).parents[1]
#: Modules of the extras, and others that only they bring.
OUT_OF_REACH = (*(name for modules in MODULES.values() for name in modules), "autogluon", "transformers",
                "torchvision", "onnx", "onnxscript", "openvino", "PIL", "psutil", "boto3")  # fmt: skip
#: Makes modules impossible to import, in workers too: Python runs a file of this name when it starts.
SITE = f"""
import sys

class OutOfReach:
    def find_spec(self, name, path=None, target=None):
        if name in {OUT_OF_REACH!r} or name.split(".")[0] in {OUT_OF_REACH!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, OutOfReach())
"""
#: Modules that are named otherwise than their distributions.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "iterstrat": "iterative-stratification", "tomli_w": "tomli-w",
                 "supervised": "mljar-supervised", "autogluon": "autogluon.tabular",
                 "lightning_fabric": "lightning-fabric", "_tools": "MNN",
                 "ai_edge_litert": "ai-edge-litert", "python_multipart": "python-multipart"}  # fmt: skip


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for processes in which the extras are out of reach."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tmp_path / "site", ROOT / "src"))))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    with start(*arguments, cwd=folder) as process:
        out, err = process.communicate(timeout=280)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def test_the_base_installation_fits_predicts_and_ranks(base: Path) -> None:
    table = feature_table(90)
    table.to_csv(base / "train.csv", index=False)
    table.drop(columns="genre").head(5).to_csv(base / "new.csv", index=False)
    fitted = run(
        base, "fit", "train.csv", "--label", "genre", "--preset", "quick", "-o", "run", "--folds", "2"
    )
    assert fitted.returncode == 0, fitted.stderr
    shown = fitted.stdout + fitted.stderr
    assert shown.count("pip install 'aurist[automl]'") == 1
    assert "ExtraTrees" in fitted.stdout
    assert not list((base / "run").rglob("*.parquet"))
    predicted = run(base, "predict", "run", "new.csv", "-o", "new_labels.csv")
    assert predicted.returncode == 0, predicted.stderr
    assert len(pd.read_csv(base / "new_labels.csv")) == 5
    board = run(base, "leaderboard", "run")
    assert board.returncode == 0, board.stderr
    assert "ExtraTrees" in board.stdout
    report = run(base, "report", "run")
    assert report.returncode == 1
    assert "pip install 'aurist[plots]'" in report.stderr


def test_an_engine_asked_for_by_name_is_an_error_before_the_work(base: Path) -> None:
    feature_table(30).to_csv(base / "train.csv", index=False)
    fitted = run(base, "fit", "train.csv", "--label", "genre", "--engine", "autogluon", "-o", "run")
    assert fitted.returncode == 1
    assert "pip install 'aurist[automl]'" in fitted.stderr
    assert "Traceback" not in fitted.stderr
    assert not (base / "run").exists()


def test_extras_of_the_code_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for name, modules in MODULES.items():
        needed = {DISTRIBUTIONS.get(module.split(".")[0], module) for module in modules}
        for distribution in needed - {"lightgbm", "xgboost", "catboost"}:
            assert any(line.startswith(distribution) for line in extras[name]), (name, distribution)
    named = set(extras["all"][0].removeprefix("aurist[").removesuffix("]").split(","))
    assert named == set(extras) - {"all", "dev", "docs", "search"}
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert named | {"all"} <= set(re.findall(r"^\| `(\w+)` \|", page, flags=re.M))


def test_every_library_that_the_code_imports_is_a_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [
        line for extra in project["optional-dependencies"].values() for line in extra
    ]
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    foreign = (
        imported - set(sys.stdlib_module_names) - {"aurist", "typing_extensions", "_typeshed", "sqlalchemy"}
    )
    foreign -= {module.split(".")[0] for modules in MODULES.values() for module in modules}
    missing = [
        m for m in sorted(foreign) if not any(line.startswith(DISTRIBUTIONS.get(m, m)) for line in lines)
    ]
    assert missing == []


def test_a_missing_extra_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "quick", ("no_such_module.inside",))
    assert not has_extra("quick")
    with pytest.raises(MissingExtraError, match=r"Speed needs .*pip install 'aurist\[quick\]'"):
        need_extra("quick", "Speed")
