"""The package: its public names, and what its import and its commands load."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import aurist

from .command import done
from .small_run import SMALL, feature_table


@pytest.mark.parametrize("name", aurist.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(aurist, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = aurist.fitt


def modules_after(code: str, cwd: Path | None = None) -> set[str]:
    """The modules that are loaded after this code, by a process of its own."""
    program = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{code}"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=cwd
    )
    return set(result.stderr.splitlines()[-1].split())


def test_importing_aurist_loads_nothing_but_aurist_itself() -> None:
    new = modules_after("import aurist") - modules_after("pass")
    assert {name.split(".")[0] for name in new} - set(sys.stdlib_module_names) == {"aurist"}


@pytest.mark.parametrize("arguments", ["--help", "predict --help"])
def test_help_loads_no_library_but_that_of_the_command_line(arguments: str) -> None:
    command = f"sys.argv = {['aurist', *arguments.split()]!r}\nfrom aurist.cli import main\nmain()"
    loaded = {name.split(".")[0] for name in modules_after(command)}
    assert (
        loaded & {"numpy", "pandas", "scipy", "numba", "sklearn", "soundfile", "joblib", "onnxruntime"}
        == set()
    )


def test_prediction_loads_no_library_that_only_a_fit_needs(tmp_path: Path) -> None:
    table = feature_table(60)
    table.to_csv(tmp_path / "train.csv", index=False)
    (tmp_path / "plan.toml").write_text(SMALL)
    done(
        "fit",
        "train.csv",
        "--label",
        "genre",
        "--plan",
        "plan.toml",
        "-o",
        "run",
        "--jobs",
        "1",
        cwd=tmp_path,
    )
    code = """
        import sys
        sys.argv = "aurist predict run train.csv -o new.csv".split()
        from aurist.cli import main
        main()
    """
    loaded = modules_after(textwrap.dedent(code), tmp_path)
    heavy = {
        "sklearn",
        "joblib",
        "torch",
        "timm",
        "autogluon",
        "lightgbm",
        "xgboost",
        "catboost",
        "matplotlib",
        "jinja2",
    }
    assert {name.split(".")[0] for name in loaded} & heavy == set()
    assert {name for name in loaded if name.startswith(("aurist.detection", "aurist.annotations"))} == set()


def test_one_clip_is_predicted_without_compiled_code(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("low/a", "low/b", "low/c", "high/a", "high/b", "high/c"):
        (tmp_path / "sounds" / name).parent.mkdir(parents=True, exist_ok=True)
        wave = np.sin(np.arange(8000) * (0.1 if name < "l" else 0.9)) + rng.normal(0, 0.1, 8000)
        sf.write(tmp_path / "sounds" / f"{name}.wav", 0.3 * wave, 8000)
    (tmp_path / "plan.toml").write_text(SMALL)
    done("fit", "sounds", "--plan", "plan.toml", "--folds", "2", "-o", "run", "--jobs", "1", cwd=tmp_path)
    done("export", "run", "-o", "model", cwd=tmp_path)
    code = """
        import sys
        sys.argv = "aurist predict model sounds/low/a.wav --cache-dir new_cache -o new.csv".split()
        from aurist.cli import main
        main()
    """
    loaded = modules_after(textwrap.dedent(code), tmp_path)
    assert "aurist.features.plain" in loaded
    assert {name.split(".")[0] for name in loaded} & {"numba", "llvmlite", "sklearn", "joblib"} == set()
    # a run recognises its own clips by the last bits of their features, also one clip alone
    done("predict", "run", "sounds/low/a.wav", "--cache-dir", "newer_cache", "-o", "one.csv", cwd=tmp_path)
    done("predict", "run", "sounds", "--cache-dir", "newest_cache", "-o", "all.csv", cwd=tmp_path)
    one, every = (pd.read_csv(tmp_path / name) for name in ("one.csv", "all.csv"))
    row = every["path"].str.endswith("low/a.wav")
    assert (every.loc[row, ["low", "high"]].to_numpy() == one[["low", "high"]].to_numpy()).all()
    # features without compiled loops are not stored: they would not be recognised later
    done("predict", "model", "sounds/low/a.wav", "--cache-dir", "last_cache", cwd=tmp_path)
    done("predict", "run", "sounds/low/a.wav", "--cache-dir", "last_cache", "-o", "again.csv", cwd=tmp_path)
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "one.csv").read_text()
