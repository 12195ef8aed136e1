"""How sure a share is that was counted on few cases."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt


def wilson(
    hits: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The interval of shares ``hits / n``; from 0 to 1 where nothing was counted.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Parameters
    ----------
    hits, n
        Arrays of one shape: how many of how many.
    level
        Of the interval; the lower bound alone holds with half of what is missing to 1.

    Examples
    --------
    >>> low, high = wilson([8, 0], [10, 0])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.49, 0.0], [0.943, 1.0])
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    k, m = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    # with no case at all the middle is one half and the width one half
    some = np.maximum(m, 1e-12)
    share = np.minimum(k / some, 1.0)
    middle = (share + z**2 / (2 * some)) / (1 + z**2 / some)
    half = z / (1 + z**2 / some) * np.sqrt(share * (1 - share) / some + z**2 / (4 * some**2))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
