"""Compare a vector with millions of vectors of 16-bit numbers: the inner loop, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def centred_cosines(
    vectors: I16, scales: F32, unit: F32, middle: F32, offset: float, length: float, out: F32
) -> None:
    """Write the cosine of each vector minus ``middle`` with ``unit`` into ``out``, (n,).

    Parameters
    ----------
    vectors, scales
        (n, size) and (n,): a vector is their product.
    unit, middle
        (size,): the query of length 1, and the vector that is taken away.
    offset, length
        The products of ``middle`` with ``unit`` and with itself.
    out
        (n,).
    """
    for row in range(vectors.shape[0]):
        with_unit = with_middle = with_itself = np.float32(0)
        for column in range(vectors.shape[1]):
            value = np.float32(vectors[row, column])
            with_unit += value * unit[column]
            with_middle += value * middle[column]
            with_itself += value * value
        scale = scales[row]
        squared = scale * scale * with_itself - 2 * scale * with_middle + length
        out[row] = (scale * with_unit - offset) / np.sqrt(max(squared, 1e-12))
