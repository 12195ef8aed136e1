"""Tables of a run as files: Parquet where pyarrow is installed, else arrays of numpy in a file of the same name.

A run is the same with either. Its files are named by their Parquet paths; the other file ends in ``.npz``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.extras import has_extra, need_extra
from aurist.files import atomic_path, write_arrays

PARQUET, ARRAYS = ".parquet", ".npz"
_COLUMNS = "columns"
#: Kinds of columns that have an array of their own; all others are numbers, by the name of their type.
_CATEGORY, _LISTS, _JSON = "category", "lists", "json"
_KINDS = {_CATEGORY, _LISTS, _JSON}


def table_path(path: Path) -> Path:
    """Return the path of a table's file: ``path``, or the ``.npz`` in its place."""
    arrays = path.with_suffix(ARRAYS)
    return arrays if not path.exists() and arrays.exists() else path


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table atomically, without its index.

    Parameters
    ----------
    table
        Cells are numbers, text or lists.
    path
        Ends in ``.parquet``; without pyarrow the file ends in ``.npz``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "folds.parquet"
    >>> write_table(pd.DataFrame({"fold": [0, 1]}), path)
    >>> read_table(path)["fold"].tolist()
    [0, 1]
    """
    as_parquet = has_extra("parquet")
    if as_parquet:
        with atomic_path(path) as part:
            table.to_parquet(part)
    else:
        write_arrays(path.with_suffix(ARRAYS), _to_arrays(table), compress=False)
    # of an earlier attempt in another installation
    (path.with_suffix(ARRAYS) if as_parquet else path).unlink(missing_ok=True)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Raises
    ------
    MissingExtraError
        If it is a Parquet file and pyarrow is not installed.
    """
    file = table_path(path)
    if file.suffix == ARRAYS:
        with np.load(file, allow_pickle=False) as arrays:
            return _from_arrays(arrays)
    need_extra("parquet", f"Reading {path}")
    return pd.read_parquet(path)


def _to_arrays(table: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Store the numbers of each type in one matrix, equally long lists of numbers as a matrix, all else as JSON."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    columns: list[dict[str, Any]] = []
    numbers: dict[str, list[int]] = {}
    for index, (name, dtype) in enumerate(table.dtypes.items()):
        cells = table.iloc[:, index]
        column: dict[str, Any] = {"name": str(name)}
        if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
            numbers.setdefault(dtype.name, []).append(index)
            column["kind"] = dtype.name
        elif isinstance(dtype, pd.CategoricalDtype):
            arrays[f"column{index}"] = cells.cat.codes.to_numpy()
            column |= {"kind": _CATEGORY, "categories": dtype.categories.tolist(), "ordered": dtype.ordered}
        elif (matrix := _matrix(cells.tolist())) is not None:
            arrays[f"column{index}"] = matrix
            column["kind"] = _LISTS
        else:
            arrays[f"column{index}"] = _json(cells.tolist())
            column["kind"] = _JSON
        columns.append(column)
    for dtype_name, indices in numbers.items():
        arrays[dtype_name] = table.iloc[:, indices].to_numpy(dtype=dtype_name)
    arrays[_COLUMNS] = _json(columns)
    return arrays


def _from_arrays(arrays: Any) -> pd.DataFrame:
    columns = _of_json(arrays[_COLUMNS])
    matrices = {kind: arrays[kind] for kind in {column["kind"] for column in columns} - _KINDS}
    taken = dict.fromkeys(matrices, 0)
    series: dict[str, Any] = {}
    for index, column in enumerate(columns):
        name, kind = column["name"], column["kind"]
        if kind in matrices:
            series[name] = matrices[kind][:, taken[kind]]
            taken[kind] += 1
        elif kind == _CATEGORY:
            dtype = pd.CategoricalDtype(column["categories"], column["ordered"])
            series[name] = pd.Categorical.from_codes(arrays[f"column{index}"], dtype=dtype)
        elif kind == _LISTS:
            series[name] = list(arrays[f"column{index}"])
        else:
            series[name] = pd.Series(_of_json(arrays[f"column{index}"]), dtype=object)
    return pd.DataFrame(series)


def _matrix(cells: list[Any]) -> npt.NDArray[Any] | None:
    """Return lists of numbers of the same length as a matrix; None for other cells."""
    if not cells or not all(isinstance(cell, list | tuple | np.ndarray) for cell in cells):
        return None
    if len({len(cell) for cell in cells}) > 1 or not len(cells[0]):
        return None
    matrix = np.asarray(cells)
    return matrix if matrix.dtype.kind in "biuf" else None


def _json(value: Any) -> npt.NDArray[np.uint8]:
    text = json.dumps(value, default=lambda cell: cell.tolist())
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _of_json(array: npt.NDArray[np.uint8]) -> Any:
    return json.loads(array.tobytes())
