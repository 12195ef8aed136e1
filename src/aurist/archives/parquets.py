"""Parquet files of Hugging Face's datasets, with the recordings' bytes in a column of ``{bytes, path}``."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import KeysView, Sequence
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any

import pandas as pd

from aurist.archives.archive import ArchiveError
from aurist.archives.remote import source_of
from aurist.extras import has_extra, need_extra

#: Row groups that stay in memory: threads read the rows of one or two at a time.
_GROUPS = 2


def has_audio(path: Path) -> bool:
    """Return True if a Parquet file has a column of recordings; False, too, if it is damaged or pyarrow is missing."""
    if not has_extra("parquet"):
        return False
    parquet = _library()
    try:
        return _audio_column(parquet.read_schema(source_of(path))) is not None
    except Exception:  # damaged bytes may raise any error: the reader of tables explains them
        return False


def _library() -> Any:
    import pyarrow.parquet

    return pyarrow.parquet


def _audio_column(schema: Any) -> str | None:
    import pyarrow as pa

    for field in schema:
        kind = field.type
        if pa.types.is_struct(kind) and {"bytes", "path"} <= {part.name for part in kind}:
            return str(field.name)
    return None


class ParquetArchive:
    """An open Parquet file."""

    def __init__(self, path: Path) -> None:
        need_extra("parquet", f"{path}, a Parquet file,")
        self._path = path
        self._file: Any = _library().ParquetFile(source_of(path))
        self._audio = _audio_column(self._file.schema_arrow)
        if self._audio is None:
            raise ArchiveError(f"{path} has no column of recordings.")
        sizes = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        self._starts = [0, *itertools.accumulate(sizes)]
        self._groups: dict[int, Any] = {}
        self._lock = Lock()
        paths = self._file.read(columns=[f"{self._audio}.path"]).column(0).to_pylist()
        names = _names([(row or {}).get("path") for row in paths])
        self._row = {name: number for number, name in enumerate(names)}
        self.names: KeysView[str] = self._row.keys()

    def read(self, name: str) -> bytes:
        """Read the recording of a row."""
        row = self._row[name]
        group = bisect.bisect_right(self._starts, row) - 1
        with self._lock:
            if group not in self._groups:
                while len(self._groups) >= _GROUPS:
                    del self._groups[next(iter(self._groups))]
                column = self._file.read_row_group(group, columns=[f"{self._audio}.bytes"]).column(0)
                self._groups[group] = column.combine_chunks()
            cell = self._groups[group][row - self._starts[group]].as_py()
        if cell is None or cell["bytes"] is None:
            raise ArchiveError(
                f"{self._path}: row {row + 1} has no bytes of a recording, only its path. Write the dataset with the "
                "recordings inside: Dataset.to_parquet does it for columns of Audio."
            )
        return bytes(cell["bytes"])

    def table(self) -> pd.DataFrame | None:
        """Return the other columns; classes that are numbers get their names."""
        others = [name for name in self._file.schema_arrow.names if name != self._audio]
        table: pd.DataFrame = self._file.read(columns=others).to_pandas().rename(columns=str)
        for column, names in _class_names(self._file.schema_arrow).items():
            if column in table:
                table[column] = [
                    names[int(number)] if pd.notna(number) and 0 <= int(number) < len(names) else None
                    for number in table[column]
                ]
        table = table.drop(columns="path", errors="ignore")
        table.insert(0, "path", list(self.names))
        return table


def _names(paths: Sequence[str | None]) -> list[str]:
    """Name rows by their files, with the number in front where names repeat or are missing."""
    files = [PurePosixPath(path.replace("\\", "/")).name if path else "" for path in paths]
    if all(files) and len(set(files)) == len(files):
        return files
    return [f"{number:06}{'_' if file else ''}{file}" for number, file in enumerate(files)]


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Return the names of classes by column, from the metadata that the datasets library writes."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return {
            str(column): [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError):
        return {}


def open_parquet(path: Path) -> ParquetArchive:
    """Open a Parquet file of recordings."""
    return ParquetArchive(path)
