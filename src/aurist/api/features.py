"""Summary features of recordings as a DataFrame."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from aurist.api.inputs import Inputs, clips_of
from aurist.api.messages import errors_in_python, warn
from aurist.api.reading import read_options
from aurist.errors import DataError, about, listing, plural


def compute_features(
    data: Inputs,
    *,
    sample_rate: int | None = None,
    resample: int | None = None,
    level: str = "relative",
    path: str | None = None,
    start: str | None = None,
    end: str | None = None,
    audio_root: str | Path | None = None,
    jobs: int = 0,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Compute the summary features of recordings; they are stored, so that a second call is fast.

    Parameters
    ----------
    data
        The path of a folder, of a recording or of a table, several recordings, a DataFrame, clips, or samples: as
        `aurist.Run.predict` takes them.
    sample_rate
        Of samples, in Hz.
    resample
        Sample rate in Hz that features are computed at. None: 22,050, or that of ultrasound, which is slowed down.
    level
        "relative", or "keep": the features then say at which level a clip was recorded.
    path, start, end, audio_root, jobs, cache_dir
        As in `aurist.fit`.

    Returns
    -------
    pandas.DataFrame
        (n_clips, n_features), float32, by path or by the index of a DataFrame; NaN for a clip that cannot be read,
        which is logged as a warning.

    Raises
    ------
    DataError
        If there is no audio, or none of it can be read.

    Examples
    --------
    >>> import aurist, numpy as np
    >>> tone = np.sin(np.arange(22050) * 0.1)
    >>> features = aurist.compute_features(tone, sample_rate=22050)
    >>> len(features), int(features.isna().sum().sum())
    (1, 0)
    """
    from aurist.features.store import config_for_clips, summary_table
    from aurist.inference.inputs import read_sources

    with errors_in_python():
        options = read_options(path=path, start=start, end=end, audio_root=audio_root)
        with clips_of(data, sample_rate, lambda source: read_sources(source, options)) as (clips, index):
            if not clips.has_audio:
                raise DataError(
                    "The table has no column of audio files to compute features of. Name it with path=."
                )
            folder = None if cache_dir is None else Path(cache_dir)
            config = config_for_clips(clips, resample, level=level)
            computed = summary_table(clips, config, cache_dir=folder, jobs=jobs)
        failures = [about(str(index[row]), message) for row, message in computed.failures.items()]
        if len(failures) == len(clips):
            raise DataError(f"None of {plural(len(clips), 'clip')} can be read:\n{listing(failures)}")
    for message in failures:
        warn(f"no features: {message}")
    return computed.features.set_axis(index, axis=0)
