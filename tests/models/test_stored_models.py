"""Models of our own engines: stored as arrays, without pickle, and answering the same when read back."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.errors import RunError
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.models.engines import engine

MEMBERS = [
    ModelSpec("m", "forest", {"trees": 5}),
    ModelSpec("m", "kernel"),
    *(ModelSpec("m", "classic", {"kind": kind}) for kind in ("svm", "lda", "logistic", "ridge")),
]


def examples(n_classes: int, *, several: bool = False) -> Examples:
    rng = np.random.default_rng(0)
    targets = np.eye(n_classes, dtype=np.int8)[np.arange(120) % n_classes]
    if several:
        targets[::7] = 1
    table = pd.DataFrame(rng.normal(size=(120, 4)) + targets[:, :1], columns=list("abcd"))
    table["mode"] = pd.Categorical(rng.choice(["major", "minor"], 120))
    table.loc[::11, "a"] = np.nan
    return Examples(Inputs(table), targets, np.linspace(0.5, 1, 120))


@pytest.mark.parametrize(("n_classes", "several"), [(2, False), (3, False), (3, True), (1, True)])
@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.settings.get("kind", member.engine))
def test_a_model_that_is_read_back_answers_the_same(
    tmp_path: Path, member: ModelSpec, n_classes: int, several: bool
) -> None:
    rows = examples(n_classes, several=several)
    if n_classes == 1:
        rows.targets[::2] = 0
    train, validation = rows.take(np.arange(90)), rows.take(np.arange(90, 120))
    task = Task(tuple("abc")[:n_classes], several, "log_loss" if not several else "average_precision")
    fitted = engine(member.engine).fit(tmp_path, task, member, train, validation, 60.0)
    again = engine(member.engine).load(tmp_path, task, member)
    np.testing.assert_array_equal(again.predict_proba(rows.inputs), fitted.model.predict_proba(rows.inputs))
    files = [path.name for path in tmp_path.iterdir()]
    assert len(files) == 1
    assert files[0].endswith(".npz")


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.settings.get("kind", member.engine))
def test_another_number_of_features_is_refused(tmp_path: Path, member: ModelSpec) -> None:
    rows = examples(3)
    task = Task(tuple("abc"), False, "log_loss")
    train, validation = rows.take(np.arange(90)), rows.take(np.arange(90, 120))
    model = engine(member.engine).fit(tmp_path, task, member, train, validation, 60.0).model
    with pytest.raises(ValueError, match="needs 5 features, and there are 3"):
        model.predict_proba(Inputs(rows.features.iloc[:, :3]))


@pytest.mark.parametrize("member", MEMBERS[:3], ids=lambda member: member.engine)
def test_reading_needs_no_scikit_learn(tmp_path: Path, member: ModelSpec) -> None:
    rows = examples(3)
    task = Task(tuple("abc"), False, "log_loss")
    train, validation = rows.take(np.arange(90)), rows.take(np.arange(90, 120))
    engine(member.engine).fit(tmp_path, task, member, train, validation, 60.0)
    rows.features.to_pickle(tmp_path / "rows.pkl")
    code = (
        "import sys; import pandas as pd; from pathlib import Path\n"
        "from aurist.models.base import Inputs, ModelSpec, Task\n"
        "from aurist.models.engines import engine\n"
        f"model = engine({member.engine!r}).load(Path({str(tmp_path)!r}), Task(tuple('abc'), False, 'log_loss'),"
        f" ModelSpec('m', {member.engine!r}, {dict(member.settings)!r}))\n"
        f"model.predict_proba(Inputs(pd.read_pickle({str(tmp_path / 'rows.pkl')!r})))\n"
        "print([name for name in ('sklearn', 'torch', 'skops', 'lightgbm') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


@pytest.mark.parametrize("member", MEMBERS[:3], ids=lambda member: member.engine)
@pytest.mark.parametrize("how", ["huge", "pickle", "cut", "shape", "missing"])
def test_a_hostile_or_damaged_file_is_refused(tmp_path: Path, member: ModelSpec, how: str) -> None:
    rows = examples(3)
    task = Task(tuple("abc"), False, "log_loss")
    train, validation = rows.take(np.arange(90)), rows.take(np.arange(90, 120))
    engine(member.engine).fit(tmp_path, task, member, train, validation, 60.0)
    (path,) = tmp_path.iterdir()
    arrays = dict(np.load(path))
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-300])
    elif how == "shape":
        np.savez(path, **arrays | {"seen": np.array([0, 1, 7])})
    elif how == "pickle":
        np.savez(path, **arrays | {"seen": np.array([print], dtype=object)})
    else:
        np.savez(path, **arrays)
        declare_huge(path)
    with pytest.raises(RunError, match=path.name):
        engine(member.engine).load(tmp_path, task, member)


def declare_huge(path: Path) -> None:
    """Declare a shape of 8 TB in the header of the first array."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = next(iter(entries))
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * ((-len(header) - 11) % 64) + b"\n"
    entries[name] = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
