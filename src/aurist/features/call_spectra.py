"""In which bands the calls of each class are louder than the sound around them, learnt from their annotated times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.features.part_levels import LevelConfig

#: Stored levels are bytes: in half dB, from this on.
_LEAST_DB, _STEPS_PER_DB = -100.0, 2.0
#: Levels that are further below the highest one of their recording say nothing: there are only traces of the call's
#: beginning and end in bands that the recording does not have.
_RANGE_DB = 60.0


@dataclass(frozen=True)
class CallSpectra:
    """The bands of the calls of each class.

    Parameters
    ----------
    weights
        (n_classes, n_bands): by how many dB a band is louder in calls, at least 0, divided by their sum. All 0 for a
        class whose calls are not louder anywhere, or have no times.
    config
        Of the levels that they weigh.
    """

    weights: npt.NDArray[np.float32]
    config: LevelConfig

    def levels(self, of_bands: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Weigh levels of bands in dB, (n, n_parts, n_bands), to levels of classes, (n, n_parts, n_classes).

        They are bytes, in steps of half a dB. Where a class has no bands, all its levels are equal.
        """
        weighed = (np.nan_to_num(of_bands, nan=_LEAST_DB) - _LEAST_DB) @ self.weights.T
        return np.clip(np.rint(weighed * _STEPS_PER_DB), 0, 255).astype(np.uint8)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays that describe it."""
        config = self.config
        return {
            "weights": self.weights,
            "config": np.array([config.sample_rate, config.n_parts, config.n_bands], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> CallSpectra:
        """Make it of `to_arrays`.

        Raises
        ------
        ValueError
            If the arrays do not match.
        """
        rate, n_parts, n_bands = (int(number) for number in arrays["config"])
        if min(rate, n_parts, n_bands) < 1 or arrays["weights"].shape[1] != n_bands:
            raise ValueError(f"config is {arrays['config'].tolist()}, weights are {arrays['weights'].shape}")
        return cls(arrays["weights"].astype(np.float32), LevelConfig(rate, n_parts, n_bands))


#: The dimensions of the arrays.
SPECTRA_ARRAYS: dict[str, tuple[int, ...]] = {"weights": (2,), "config": (1,)}


def learn_spectra(
    levels: npt.NDArray[np.float32],
    is_call: npt.NDArray[np.bool_],
    recordings: npt.NDArray[Any],
    config: LevelConfig,
) -> CallSpectra:
    """Compare the parts of recordings in which a class calls with those in which it does not.

    Parameters
    ----------
    levels
        (n_windows, n_parts, n_bands), in dB; NaN for windows that cannot be read.
    is_call
        (n_windows, n_parts, n_classes): True where a box of the class covers the middle of the part.
    recordings
        (n_windows,): each recording counts once.
    config
        Of the levels.
    """
    readable = np.isfinite(levels).all(axis=(1, 2))
    weights = np.zeros((is_call.shape[2], config.n_bands), dtype=np.float32)
    for column in range(len(weights)):
        calling = is_call[:, :, column]
        gains = []
        for recording in np.unique(recordings[readable & calling.any(axis=1)]):
            rows = np.flatnonzero(readable & (recordings == recording))
            inside = calling[rows]
            parts = np.maximum(levels[rows], levels[rows].max() - _RANGE_DB)
            if not inside.all():
                gains.append(parts[inside].mean(axis=0) - parts[~inside].mean(axis=0))
        louder = np.maximum(np.mean(gains, axis=0), 0) if gains else np.zeros(config.n_bands)
        weights[column] = louder / max(float(louder.sum()), 1e-9)
    return CallSpectra(weights, config)
