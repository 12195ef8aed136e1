"""Damaged files that aurist wrote: one error that names the file and the next step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.errors import ConfigError, RunError
from aurist.stored import check_shape, read_arrays, read_frame, read_json, stored

SHAPE = {"classes": [str], "window?": (float, None), "weights": {str: [{str: float}]}}
WHOLE = '{"classes": ["dog"], "weights": {"Ensemble": [{"SVM": 1}]}}'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (WHOLE[:30], "damaged"),
        ("", "damaged"),
        ("[" * 100_000, "damaged"),
        ("9" * 5000, "damaged"),
        ("[]", "it is [], and no table"),
        (WHOLE.replace('"dog"', "true"), "classes[0] is True"),
        (WHOLE.replace("classes", "klasses"), "there is no classes"),
        (WHOLE.replace(": 1}", ": null}"), "weights.Ensemble[0].SVM is None"),
        (WHOLE.replace("{", '{"window": "5",', 1), "window is '5'"),
    ],
)
def test_json_that_is_not_as_it_was_written_is_an_error_that_names_it(
    tmp_path: Path, text: str, word: str
) -> None:
    path = tmp_path / "data.json"
    path.write_text(WHOLE)
    assert read_json(path, SHAPE, "Copy it again.")["classes"] == ["dog"]
    path.write_text(text)
    with pytest.raises(RunError) as raised:
        read_json(path, SHAPE, "Copy it again.")
    assert str(path) in str(raised.value) and word in str(raised.value)
    assert str(raised.value).endswith("Copy it again.")


def test_what_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"a\.json is missing\. Copy it again"):
        read_json(tmp_path / "a.json", {}, "Copy it again.")


def test_bytes_of_json_that_are_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(b'{"classes": ["\xff"]}')
    with pytest.raises(RunError, match="damaged"):
        read_json(path, dict, "")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_tables_have_the_columns_that_are_needed(tmp_path: Path, suffix: str) -> None:
    path, table = tmp_path / f"board{suffix}", pd.DataFrame({"model": ["a"], "score": [0.5]})

    def write(frame: pd.DataFrame) -> None:
        frame.to_parquet(path) if suffix == ".parquet" else frame.to_csv(path, index=False)

    columns = {"model": "O", "score": "iuf"}
    write(table)
    assert read_frame(path, columns, "")["score"].tolist() == [0.5]
    write(table.drop(columns="model"))
    with pytest.raises(RunError, match="no column model"):
        read_frame(path, columns, "")
    write(table.assign(score="high"))
    with pytest.raises(RunError, match="its column score holds"):
        read_frame(path, columns, "")
    path.write_bytes(path.read_bytes()[:3])
    with pytest.raises(RunError):
        read_frame(path, columns, "")


def test_arrays_that_are_cut_or_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "duplicates.npz"
    np.savez(path, keys=np.arange(3), proba=np.zeros((3, 2)))
    assert read_arrays(path, {"keys": (1,), "proba": (2,), "told": (2,)}, "", optional=("told",)).keys() == {
        "keys",
        "proba",
    }
    for expected in ({"keys": (2,)}, {"told": (2,)}):
        with pytest.raises(RunError, match=r"duplicates\.npz is damaged"):
            read_arrays(path, expected, "")
    np.savez(path, keys=np.array(["a"]))
    with pytest.raises(RunError, match="keys has the shape"):
        read_arrays(path, {"keys": (1,)}, "")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RunError):
        read_arrays(path, {"keys": (1,)}, "")


def test_errors_of_ours_pass_as_they_are_and_the_rest_keep_their_cause() -> None:
    with pytest.raises(ConfigError, match="as it is"), stored(Path("a"), ""):
        raise ConfigError("as it is")
    with pytest.raises(RunError, match="Unable to allocate") as raised, stored(Path("a"), ""):
        raise MemoryError("Unable to allocate 1.49 PiB")
    assert isinstance(raised.value.__cause__, MemoryError)
    # a machine without memory is no damage of a file
    with pytest.raises(MemoryError), stored(Path("a"), ""):
        raise MemoryError("Unable to allocate 1.49 GiB for an array with shape (20000, 10000)")
    with pytest.raises(MemoryError), stored(Path("a"), ""):
        raise MemoryError
    with pytest.raises(KeyboardInterrupt), stored(Path("a"), ""):
        raise KeyboardInterrupt


@pytest.mark.parametrize("value", [True, "1", None])
def test_a_number_is_no_text_and_no_truth(value: object) -> None:
    with pytest.raises(ValueError, match="it is"):
        check_shape(value, float)


def test_a_closed_pipe_is_no_damage() -> None:
    with pytest.raises(BrokenPipeError), stored(Path("run"), "Copy it again."):
        raise BrokenPipeError(32, "Broken pipe")
