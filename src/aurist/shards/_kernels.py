"""The checksum of TFRecord files, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U32 = npt.NDArray[np.uint32]


def _table() -> U32:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0x82F63B78), table >> 1).astype(np.uint32)
    return table


TABLE = _table()


@njit(cache=True, nogil=True)
def crc32c(data: npt.NDArray[np.uint8], table: U32) -> np.uint32:
    """Return the CRC-32C of bytes, (n,) (Castagnoli's polynomial; RFC 3720, appendix B.4)."""
    crc = np.uint32(0xFFFFFFFF)
    for byte in data:
        crc = table[(crc ^ byte) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)
