"""Pickles of others are loaded only if told to."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from aurist.errors import RunError
from aurist.models.base import ModelSpec, Task
from aurist.models.engines import engine
from aurist.models.trust import TRUST, require_trust, sign


@pytest.fixture
def fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv(TRUST, raising=False)
    folder = tmp_path / "fold0"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "model.pkl").write_bytes(pickle.dumps({"weights": [1.0]}))
    return folder


def test_own_pickles_are_trusted_until_they_change(fold: Path) -> None:
    sign(fold)
    (fold / "unit.json").write_text("{}")
    (fold / "predictions.parquet").write_bytes(b"table")
    require_trust(fold, "AutoGluon")
    moved = fold.rename(fold.with_name("fold1"))
    require_trust(moved, "AutoGluon")
    (moved / "more.pkl").write_bytes(b"")
    with pytest.raises(RunError, match=r"you did not fit them.*here.*trust=True"):
        require_trust(moved, "AutoGluon")


@pytest.mark.parametrize("change", ["pickle", "key", "none", "nonsense"])
def test_pickles_of_others_are_refused(fold: Path, tmp_path: Path, change: str, monkeypatch) -> None:
    sign(fold)
    if change == "pickle":
        (fold / "models" / "model.pkl").write_bytes(pickle.dumps({"weights": [2.0]}))
    elif change == "key":  # as on another machine
        (tmp_path / "cache" / "trust.key").write_text("00" * 32)
    elif change == "none":
        (fold / "signature.txt").unlink()
    else:
        (fold / "signature.txt").write_text("é")
    with pytest.raises(RunError, match="holds pickles of mljar"):
        require_trust(fold, "mljar")
    monkeypatch.setenv(TRUST, "1")
    require_trust(fold, "mljar")


def test_nothing_is_unpickled_before(fold: Path, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, (f"open({str(tmp_path / 'was here')!r}, 'w')",))

    (fold / "predictor.pkl").write_bytes(pickle.dumps(Hostile()))
    (fold / "aurist.json").write_text('{"constants": [null], "chosen": ["LightGBM"]}')
    task = Task(("a", "b"), False, "accuracy")
    with pytest.raises(RunError, match="holds pickles of AutoGluon"):
        engine("autogluon").load(fold, task, ModelSpec("m", "autogluon", {"kind": "GBM"}))
    assert not (tmp_path / "was here").exists()


def test_the_key_is_for_the_user_alone(fold: Path, tmp_path: Path) -> None:
    sign(fold)
    assert (tmp_path / "cache" / "trust.key").stat().st_mode & 0o077 == 0
