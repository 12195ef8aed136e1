"""Predictions in the layout of a contest's sample submission."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips.table import numbered
from aurist.errors import DataError, about, listing, plural
from aurist.inference.clip_predictions import ClipPredictions


def submission(applied: ClipPredictions, sample: pd.DataFrame, where: str) -> pd.DataFrame:
    """Fill the sample's columns, ids and order with the predicted labels or probabilities.

    Parameters
    ----------
    applied
        Predictions of the contest's test table.
    sample
        The sample submission: its first column holds the ids. Further columns are one for the label, or one
        for each class.
    where
        The sample's name, for messages.

    Raises
    ------
    DataError
        If ids of the sample have no prediction, or its columns are neither a label nor classes.
    """
    ids = sample.iloc[:, 0].astype(str)
    predicted_ids = pd.Index(applied.clips.table["clip_id"].astype(str))
    # a repeated id in the sample takes the rows of the table in order, if the table repeats it too
    rows = predicted_ids.get_indexer(pd.Index(numbered(ids.tolist())))
    rows = np.where(rows < 0, predicted_ids.get_indexer(pd.Index(ids)), rows)
    _check_ids(ids, rows, applied, where)
    columns = [str(name) for name in sample.columns[1:]]
    table = sample.copy()
    if len(columns) == 1 and columns[0] not in applied.classes:
        table[sample.columns[1]] = np.asarray(applied.labels(), dtype=object)[rows]
        return table
    unknown = [name for name in columns if name not in applied.classes]
    if unknown:
        raise DataError(
            f"{where}: {plural(len(unknown), 'column')} {'is no class' if len(unknown) == 1 else 'are no classes'} of "
            f"this run:\n{listing(unknown)}\n"
            f"Expected one column for the label, or columns among: {', '.join(applied.classes)}."
        )
    for name in columns:
        table[name] = applied.proba[rows, applied.classes.index(name)]
    return table


def _check_ids(ids: pd.Series[str], rows: npt.NDArray[np.intp], applied: ClipPredictions, where: str) -> None:
    missing: Sequence[str] = ids[rows < 0].tolist()
    if missing:
        raise DataError(
            f"{where}: {len(missing):,} of its {plural(len(ids), 'id')} {'was' if len(missing) == 1 else 'were'} not "
            f"predicted:\n{listing(missing, limit=10)}\n"
            f"The predicted table has ids such as {applied.clips.table['clip_id'].iloc[0]!r}. "
            "Give the table that the sample belongs to, or name its id column with id=."
        )
    failed = [
        about(
            display_name if display_name.startswith(name) else f"{name} ({display_name})",
            applied.failures[row],
        )
        for name, row in zip(ids, rows.tolist(), strict=True)
        if row in applied.failures and (display_name := applied.clips.display_name(row))
    ]
    if failed:
        raise DataError(
            f"{plural(len(failed), 'row')} of the submission could not be predicted:\n{listing(failed)}"
        )
