"""Names for the types of arrays that many rooms pass around."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: (n, n_classes): the probability of each class for each row, in the order of the classes.
Proba = npt.NDArray[np.float64]
