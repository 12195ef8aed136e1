"""Rows of numbers divided into buckets in a temporary file: written in batches, and read back bucket by bucket."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np

from aurist.audit.fingerprint import Bits
from aurist.audit.prints import I64, SpillFile


class Buckets:
    """Rows of numbers in buckets. As a context manager it removes the file at the end.

    Parameters
    ----------
    folder
        Of the temporary file; see `SpillFile`.
    n
        The number of buckets.
    columns
        The numbers of a row.

    Examples
    --------
    >>> with Buckets(None, 2, 1) as buckets:
    ...     for batch in ([5, 6, 7], [8]):
    ...         buckets.add(np.array(batch, np.uint64)[:, None], np.array(batch) % 2)
    ...     buckets.read(0).ravel().tolist(), buckets.read(1).ravel().tolist()
    ([6, 8], [5, 7])
    """

    def __init__(self, folder: Path | None, n: int, columns: int) -> None:
        self._file = SpillFile(folder)
        self.n, self._columns = n, columns
        #: By batch, the first row of each bucket in the file, and the end.
        self._positions: list[I64] = []

    def __enter__(self) -> Buckets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, numbers: Bits, bucket: I64) -> None:
        """Add a batch, (n, columns), with the bucket of each row, (n,)."""
        from aurist.audit._kernels import by_bucket

        in_order, bounds = by_bucket(numbers, bucket, self.n)
        self._positions.append(self._file.append(in_order) // self._columns + bounds)

    def read(self, bucket: int) -> Bits:
        """Return the rows of a bucket, (n, columns), in the order in which they were added."""
        spans = [(int(at[bucket]), int(at[bucket + 1])) for at in self._positions]
        rows = np.empty((sum(end - begin for begin, end in spans), self._columns), dtype=np.uint64)
        self._file.read(((begin * self._columns, end * self._columns) for begin, end in spans), rows)
        return rows
