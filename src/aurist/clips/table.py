"""The clips table: one row per clip of sound, or per row of ready-made features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips.grouping import Grouping
from aurist.errors import DataError, listing, plural
from aurist.metrics import UNKNOWN

Part = Literal["train", "valid", "test", "background"]
#: Parts that a table can name. A "background" is assumed to have none of the classes: learnt from, never scored.
PARTS: tuple[Part, ...] = ("train", "valid", "test")
BACKGROUND: Part = "background"

#: The columns of every clips table.
COLUMNS = ("clip_id", "path", "start", "end", "labels", "absent", "weight", "group", "fold", "part")


@dataclass(frozen=True)
class Clips:
    """A table of clips, with its classes, features and notes.

    Parameters
    ----------
    table
        One row per clip, index 0..n-1, the columns of `COLUMNS` and then the feature columns:
        ``clip_id`` (str, unique), ``path`` (str as given, None for a feature table), ``start`` and ``end`` (seconds;
        NaN: the whole file), ``labels`` and ``absent`` (tuples of class names), ``weight`` (float), ``group`` (str or
        None: a group stays in one fold), ``fold`` (str or None: as given), ``part`` ("train", "valid", "test",
        or "background": assumed to have no class, learnt from and never scored).
    classes
        The class names, sorted; empty for an unlabelled table.
    features
        The feature columns, in order; empty if features come from the audio.
    multilabel
        True if a clip may have several labels or none.
    unannotated
        "absent" or "unknown": the meaning of a class that a multi-label clip does not list.
    root
        The folder that relative paths start from.
    notes
        Guesses and decisions of the reader, one sentence each, for the user.
    rows
        The row of each clip in its table, as an editor or a spreadsheet counts (the header is row 1); the index of a
        DataFrame; empty for clips from a folder.
    given_ids
        The ids of the table if it repeats some; empty if ``clip_id`` has the given ids.
    window
        Seconds of the windows that recordings were cut into; None if the clips are no such windows.
    names
        Names of the rows of a feature table, if it has a column of names. Recordings have paths instead.
    grouping
        The groups guessed from names, used or not; None if there are none.
    by_time
        True if groups are stretches of recordings: clips of one recording may be in several folds.
    boxes
        The annotations that recordings were cut by: ``path, start, end, label``; None without windows.
    band
        The lowest and the highest frequency for networks, in Hz; None: all.
    decimal_commas
        The features whose numbers had a decimal comma.
    """

    table: pd.DataFrame
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    multilabel: bool = False
    unannotated: Literal["absent", "unknown"] = "absent"
    root: Path | None = None
    notes: tuple[str, ...] = field(default=())
    rows: tuple[int | str, ...] = ()
    given_ids: tuple[str, ...] = ()
    window: float | None = None
    by_time: bool = False
    boxes: pd.DataFrame | None = None
    band: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    grouping: Grouping | None = None
    decimal_commas: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def has_audio(self) -> bool:
        """True if the clips are recordings, not rows of a feature table."""
        return bool(self.table["path"].notna().any())

    @property
    def labelled(self) -> bool:
        """True if there are labels."""
        return len(self.classes) > 0

    def file(self, path: str) -> Path:
        """Return the file of a ``path`` in the table."""
        given = Path(path)
        return given if given.is_absolute() or self.root is None else self.root / given

    def files(self) -> list[Path]:
        """Return the file of every row, in order."""
        return [self.file(str(path)) for path in self.table["path"]]

    def display_name(self, row: int) -> str:
        """Return a clip's name for messages: its path, or the row and id of a row of features.

        Examples
        --------
        >>> clips = make_clips([("dog",), ("cat",)], rows=[2, 3])
        >>> clips.display_name(1), make_clips([("dog",)], clip_ids=["T7"], rows=[2]).display_name(0)
        ('row 3', 'T7 (row 2)')
        """
        name, path = self.table["clip_id"].iloc[row], self.table["path"].iloc[row]
        return row_display_name(str(name), path, self.rows[row] if self.rows else None)

    def targets(self, classes: Sequence[str] | None = None) -> npt.NDArray[np.int8]:
        """Return the indicator matrix of the labels.

        Parameters
        ----------
        classes
            The columns; the table's own classes by default. Other labels are left out.

        Returns
        -------
        (n_clips, n_classes), int8
            1: the clip has the label. 0: it has not. `aurist.metrics.UNKNOWN`: the class is not listed and may be in
            the clip; metrics leave such cells out.

        Examples
        --------
        >>> clips = make_clips([("dog",), ()], absent=[(), ("dog", "cat")], multilabel=True, unannotated="unknown")
        >>> clips.targets().tolist()  # cat, dog
        [[-1, 1], [0, 0]]
        """
        names = list(self.classes if classes is None else classes)
        column = {name: i for i, name in enumerate(names)}
        partial = self.multilabel and self.unannotated == "unknown"
        out = np.full((len(self.table), len(names)), UNKNOWN if partial else 0, dtype=np.int8)
        for value, column_name in ((0, "absent"), (1, "labels")):
            for row, labels in enumerate(self.table[column_name]):
                for label in labels:
                    if label in column:
                        out[row, column[label]] = value
        return out

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | Sequence[int]) -> Clips:
        """Take the clips of these rows (a mask or positions), with the same classes."""
        index = np.asarray(rows)
        index = np.flatnonzero(index) if index.dtype == np.bool_ else index
        return replace(
            self,
            table=self.table.iloc[index].reset_index(drop=True),
            rows=tuple(self.rows[row] for row in index) if self.rows else (),
            given_ids=tuple(self.given_ids[row] for row in index) if self.given_ids else (),
            names=tuple(self.names[row] for row in index) if self.names else (),
        )

    def feature_table(self) -> pd.DataFrame:
        """Return only the feature columns, (n_clips, n_features)."""
        return self.table.loc[:, list(self.features)]


def make_clips(
    labels: Sequence[tuple[str, ...]],
    *,
    paths: Sequence[str | None] | None = None,
    clip_ids: Sequence[str] | None = None,
    starts: Sequence[float] | None = None,
    ends: Sequence[float] | None = None,
    absent: Sequence[tuple[str, ...]] | None = None,
    groups: Sequence[str | None] | None = None,
    folds: Sequence[str | None] | None = None,
    parts: Sequence[Part] | None = None,
    weights: Sequence[float] | None = None,
    features: pd.DataFrame | None = None,
    multilabel: bool = False,
    unannotated: Literal["absent", "unknown"] = "absent",
    root: Path | None = None,
    notes: Sequence[str] = (),
    rows: Sequence[int | str] = (),
    given_ids: Sequence[str] = (),
) -> Clips:
    """Build a clips table from columns; missing ones get defaults.

    Without ``clip_ids`` the id of a clip is its path (with ``#2``, ``#3`` ... for further clips of the same file) or,
    in a feature table, its row number.

    Raises
    ------
    DataError
        If ids are repeated.

    Examples
    --------
    >>> clips = make_clips([("dog",), ("cat",)], paths=["a.wav", "b.wav"])
    >>> clips.classes, clips.table["clip_id"].tolist()
    (('cat', 'dog'), ['a.wav', 'b.wav'])
    """
    n = len(labels)
    path_column = list(paths) if paths is not None else [None] * n
    ids = list(clip_ids) if clip_ids is not None else _default_ids(path_column)
    repeated = pd.Index(ids)[pd.Index(ids).duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"{plural(len(repeated), 'id')} {'is' if len(repeated) == 1 else 'are'} used for more than one row; "
            "each row needs its own id:\n"
            f"{listing([repr(name) for name in repeated])}"
        )
    no_labels: list[tuple[str, ...]] = [()] * n
    table = pd.DataFrame(
        {
            "clip_id": pd.Series(ids, dtype=object),
            "path": pd.Series(path_column, dtype=object),
            "start": np.full(n, np.nan) if starts is None else np.asarray(starts, dtype=float),
            "end": np.full(n, np.nan) if ends is None else np.asarray(ends, dtype=float),
            "labels": pd.Series(list(labels), dtype=object),
            "absent": pd.Series(list(absent) if absent is not None else no_labels, dtype=object),
            "weight": np.ones(n) if weights is None else np.asarray(weights, dtype=float),
            "group": pd.Series(list(groups) if groups is not None else [None] * n, dtype=object),
            "fold": pd.Series(list(folds) if folds is not None else [None] * n, dtype=object),
            "part": pd.Series(list(parts) if parts is not None else ["train"] * n, dtype=object),
        }
    )
    if features is not None:
        table = pd.concat([table, features.reset_index(drop=True)], axis=1)
    classes = {label for row in labels for label in row} | {label for row in absent or () for label in row}
    return Clips(
        table=table,
        classes=tuple(sorted(classes)),
        features=tuple(features.columns) if features is not None else (),
        multilabel=multilabel,
        unannotated=unannotated,
        root=root,
        notes=tuple(notes),
        rows=tuple(rows),
        given_ids=tuple(given_ids),
    )


def row_display_name(clip_id: str, path: str | None, row: int | str | None) -> str:
    """Return a clip's name for messages, as `Clips.display_name` does; ``row`` is its row in a table, or None.

    Examples
    --------
    >>> row_display_name("0", None, 2), row_display_name("T7", None, 2), row_display_name("a.wav", "a.wav", 2)
    ('row 2', 'T7 (row 2)', 'a.wav')
    """
    if row is None or path is not None:
        return clip_id
    return f"row {row}" if clip_id.isdigit() else f"{clip_id} (row {row})"


def numbered(names: Sequence[str]) -> list[str]:
    """Make names unique: repeated names get ``#2``, ``#3`` ...

    Examples
    --------
    >>> numbered(["7", "8", "7", "7", "7#2"])
    ['7', '8', '7#3', '7#4', '7#2']
    """
    taken = set(names)
    seen: dict[str, int] = {}
    out: list[str] = []
    for name in names:
        count = seen.get(name, 0) + 1
        while count > 1 and f"{name}#{count}" in taken:
            count += 1
        seen[name] = count
        out.append(name if count == 1 else f"{name}#{count}")
    return out


def _default_ids(paths: Sequence[str | None]) -> list[str]:
    return numbered([str(row) if path is None else path for row, path in enumerate(paths)])
