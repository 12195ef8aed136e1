"""Confidence intervals of shares counted on few cases."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt


def wilson(
    hits: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the interval of shares ``hits / n``; from 0 to 1 if ``n`` is 0.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Parameters
    ----------
    hits, n
        Arrays of one shape: the hits, and the number of cases.
    level
        The confidence of the interval; the lower bound alone has the confidence ``(1 + level) / 2``.

    Examples
    --------
    >>> low, high = wilson([8, 0], [10, 0])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.49, 0.0], [0.943, 1.0])
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    k, m = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    # without any case the centre is 0.5 and the half width 0.5
    at_least_one = np.maximum(m, 1e-12)
    share = np.minimum(k / at_least_one, 1.0)
    centre = (share + z**2 / (2 * at_least_one)) / (1 + z**2 / at_least_one)
    half = (
        z
        / (1 + z**2 / at_least_one)
        * np.sqrt(share * (1 - share) / at_least_one + z**2 / (4 * at_least_one**2))
    )
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
