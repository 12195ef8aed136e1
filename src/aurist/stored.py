"""Read files that aurist wrote, and check them: on failure, one error names the file and the next step."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import AuristError, RunError, short_repr
from aurist.tables import PARQUET, read_table

#: Expected form of JSON: a type, several types in a tuple, ``[type of entries]``, ``{str: type of values}``, or
#: entries of a table by name; an entry with a name that ends in ``?`` is optional.
Shape = Any
#: The largest whole number that aurist writes.
_LARGEST = 1 << 64
#: Sizes of memory that numpy only asks for because of a damaged header.
_BEYOND_MEMORY = re.compile(r"allocate .*[TPEZY]iB")
#: The most bytes of an archive in memory: so many, and so many times the size of its file.
_UNPACKED_BYTES, _UNPACKED_TIMES = 1 << 28, 100
#: Characters of a library's message that an error repeats.
_SHOWN = 200


@contextmanager
def stored(path: Path, remedy: str) -> Iterator[None]:
    """Read a file inside this context: any error of a library becomes one error that names the file.

    Parameters
    ----------
    path
        The file, or the folder of a model.
    remedy
        The next step, as a sentence.

    Raises
    ------
    RunError
        If the body raises any error that is not aurist's own.

    Examples
    --------
    >>> with stored(Path("run/data.json"), "Copy the run once more."):
    ...     json.loads("{}")["classes"]
    Traceback (most recent call last):
    aurist.errors.RunError: run/data.json is damaged, or was changed: there is no classes. Copy the run once more.
    """
    try:
        yield
    except (AuristError, BrokenPipeError):  # the reader of what is printed may have enough
        raise
    except FileNotFoundError as error:
        raise RunError(f"{path} cannot be read: {error.filename or path} is missing. {remedy}") from error
    except PermissionError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # libraries may raise any error for unexpected bytes
        if isinstance(error, MemoryError) and not _BEYOND_MEMORY.search(str(error)):
            raise
        raise RunError(f"{path} is damaged, or was changed: {_reason(error)}. {remedy}") from error


def read_json(path: Path, shape: Shape, remedy: str) -> Any:
    """Read the value of a JSON file with this shape.

    Raises
    ------
    RunError
        If it is missing, is no JSON, or has another shape.
    """
    with stored(path, remedy):
        value = json.loads(path.read_text(encoding="utf-8"))
        check_shape(value, shape)
    return value


def read_frame(path: Path, columns: Mapping[str, str], remedy: str) -> pd.DataFrame:
    """Read a table of `write_table`, or CSV, with these columns.

    Parameters
    ----------
    columns
        Columns with the numpy kinds of their cells, such as "iuf" for numbers; "": any.

    Raises
    ------
    RunError
        If it is missing, cannot be read, or lacks columns.
    """
    with stored(path, remedy):
        if path.suffix != PARQUET and not path.read_bytes().endswith(b"\n"):
            raise ValueError("its last line is cut")
        table = read_table(path) if path.suffix == PARQUET else _read_csv(path)
        missing = [name for name in columns if name not in table.columns]
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        for name, kinds in columns.items():
            if kinds and table[name].dtype.kind not in kinds:
                raise ValueError(f"its column {name} holds {table[name].dtype}")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    # pandas hangs on a line that begins with a carriage return and a blank; an open text file has no such line
    with path.open(encoding="utf-8") as file:
        return pd.read_csv(file)


def read_arrays(
    path: Path, dimensions: Mapping[str, tuple[int, ...]], remedy: str, *, optional: Sequence[str] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of an ``.npz`` file; each holds numbers and has one of these numbers of dimensions.

    Raises
    ------
    RunError
        If it is missing, cannot be read, or lacks required arrays.
    """
    with stored(path, remedy), np.load(path, allow_pickle=False) as archive:
        _check_sizes(archive, path)
        arrays = {name: archive[name] for name in dimensions if name in archive or name not in optional}
        for name, array in arrays.items():
            if array.ndim not in dimensions[name] or array.dtype.kind not in "iufb":
                raise ValueError(f"{name} has the shape {array.shape} and holds {array.dtype}")
    return arrays


def _check_sizes(archive: Any, path: Path) -> None:
    """Refuse an archive that would take far more memory than its file, before anything is unpacked.

    Raises
    ------
    ValueError
        If an array is declared larger than what is stored of it, or the whole is packed too tightly to be numbers.
    """
    unpacked = 0
    for entry in archive.zip.infolist():
        with archive.zip.open(entry) as file:
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(file)
            declared = file.tell() + math.prod(shape) * dtype.itemsize
        if declared != entry.file_size:
            raise ValueError(
                f"{entry.filename} declares {shape} values of {dtype}, and has {entry.file_size} bytes"
            )
        unpacked += entry.file_size
    if unpacked > _UNPACKED_BYTES + _UNPACKED_TIMES * path.stat().st_size:
        raise ValueError(f"its {path.stat().st_size} bytes would take {unpacked / 1e9:.1f} GB of memory")


def check_shape(value: object, shape: Shape, name: str = "it") -> None:
    """Raise ValueError if a value of JSON has not the expected shape.

    Examples
    --------
    >>> check_shape({"classes": ["dog"], "window": None}, {"classes": [str], "window": (float, None), "band?": [float]})
    >>> check_shape({"classes": ["dog", 2]}, {"classes": [str]})
    Traceback (most recent call last):
    ValueError: classes[1] is 2
    """
    if isinstance(shape, tuple):
        if not any(_has_shape(value, allowed) for allowed in shape):
            raise ValueError(f"{name} is {short_repr(value)}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise ValueError(f"{name} is {short_repr(value)}, and no list")
        for number, entry in enumerate(value):
            check_shape(entry, shape[0], f"{name}[{number}]")
    elif isinstance(shape, dict):
        _check_table(value, shape, name)
    elif not _is_of(value, shape):
        raise ValueError(f"{name} is {short_repr(value)}")


def _check_table(value: object, shape: dict[Any, Shape], name: str) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {short_repr(value)}, and no table")
    inside = "" if name == "it" else f"{name}."
    if str in shape:
        for key, entry in value.items():
            check_shape(entry, shape[str], f"{inside}{key}")
        return
    for key, expected in shape.items():
        entry_name = key.removesuffix("?")
        if entry_name in value:
            check_shape(value[entry_name], expected, f"{inside}{entry_name}")
        elif entry_name == key:
            raise ValueError(f"there is no {inside}{key}")


def _has_shape(value: object, shape: Shape) -> bool:
    try:
        check_shape(value, shape)
    except ValueError:
        return False
    return True


def _is_of(value: object, kind: type | None) -> bool:
    if kind is None or isinstance(value, bool):
        return value is None if kind is None else kind in (bool, object)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _reason(error: BaseException) -> str:
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    line = " ".join(text.split())[:_SHOWN].rstrip(". ")
    if isinstance(error, KeyError):
        return f"there is no {line}"
    return line or type(error).__name__
