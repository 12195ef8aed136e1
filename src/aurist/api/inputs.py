"""Make clips of data in memory or on disk: paths, tables, clips, or samples."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audio.writing import write_wav
from aurist.clips import Clips, make_clips
from aurist.errors import ConfigError, DataError, listing, plural

#: Data with labels: the path of a folder or of a table, a DataFrame, or clips.
Data = str | Path | pd.DataFrame | Clips
#: Data to predict: the same, or several recordings by their paths, or samples.
Inputs = Data | Sequence[str | Path] | npt.NDArray[Any] | Sequence[npt.NDArray[Any]]
#: Arrays of so many columns and more rows are channels side by side, not clips of so few samples.
_MOST_CHANNELS = 16


def labelled(data: Data, name: str) -> Path | pd.DataFrame | Clips:
    """Check data with labels; ``name`` is the parameter's, for the message.

    Raises
    ------
    DataError
        If it is of another type.
    """
    if isinstance(data, str):
        return Path(data)
    if isinstance(data, Path | pd.DataFrame | Clips):
        return data
    raise DataError(
        f"{name} is of type {type(data).__name__}. Expected the path of a folder or of a table, a DataFrame, or clips "
        "(aurist.read_clips). To learn from arrays: aurist.AudioClassifier."
    )


def is_samples(data: Any) -> bool:
    """Tell samples in memory from everything else."""
    if isinstance(data, np.ndarray):
        return data.dtype.kind not in "USO"
    return (
        isinstance(data, Sequence)
        and not isinstance(data, str)
        and any(isinstance(item, np.ndarray) for item in data)
    )


@contextmanager
def clips_of(
    data: Any, sample_rate: int | None, read: Callable[[Sequence[Path] | pd.DataFrame], Clips]
) -> Iterator[tuple[Clips, pd.Index[Any]]]:
    """Give the clips of some inputs, and what the rows of an answer are called.

    Parameters
    ----------
    data
        As `Inputs`.
    sample_rate
        Of samples, in Hz. They lie in temporary files while the clips are in use.
    read
        Reads paths or a DataFrame.
    """
    if is_samples(data):
        waves = samples_of(data, sample_rate)
        assert sample_rate is not None
        with tempfile.TemporaryDirectory(prefix="aurist-") as folder:
            paths = write_waves(waves, sample_rate, Path(folder))
            yield make_clips([()] * len(paths), paths=paths), pd.RangeIndex(len(paths))
        return
    if sample_rate is not None:
        raise ConfigError(
            "sample_rate= is for samples in memory. Files and tables have their own rates: leave "
            "sample_rate= out."
        )
    if isinstance(data, Clips):
        yield data, pd.Index(data.table["clip_id"], name="id")
    elif isinstance(data, pd.DataFrame):
        yield read(data), data.index
    else:
        clips = read(_paths(data))
        yield clips, _names(clips)


def samples_of(data: Any, sample_rate: int | None) -> list[npt.NDArray[np.float32]]:
    """Check samples: one clip (n_samples,), several (n_clips, n_samples), or a list of clips of any length.

    Returns
    -------
    list of (n_samples,), float32
        Whole numbers are scaled to [-1, 1].

    Raises
    ------
    ConfigError
        If their rate is missing or no rate.
    DataError
        If they are of another shape, or some are not finite: all clips with such samples are named.
    """
    if sample_rate is None:
        raise ConfigError("Samples need their rate: give sample_rate=, in Hz.")
    if not 0 < sample_rate < 1e7 or sample_rate != int(sample_rate):
        raise ConfigError(f"sample_rate is {sample_rate!r}, but must be a whole number of Hz, such as 22050.")
    if isinstance(data, np.ndarray) and data.ndim == 1 and data.dtype.kind != "O":
        data = [data]
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] <= _MOST_CHANNELS < data.shape[0]:
        raise DataError(
            f"Samples have the shape {data.shape}, which looks like {data.shape[1]} channels of {data.shape[0]:,} "
            "samples. Expected (n_samples,) or (n_clips, n_samples): mix the channels with samples.mean(axis=1)."
        )
    waves = [np.asarray(wave) for wave in data]
    flaws = [f"clip {row}: {flaw}" for row, wave in enumerate(waves) if (flaw := _flaw(wave))]
    if flaws or not waves:
        raise DataError(
            f"{plural(len(flaws), 'clip')} of {len(waves):,} cannot be used:\n{listing(flaws)}"
            if flaws
            else "There are no samples."
        )
    return [_scaled(wave) for wave in waves]


def _flaw(wave: npt.NDArray[Any]) -> str | None:
    if wave.ndim != 1 or wave.dtype.kind not in "fi":
        return (
            f"has the shape {wave.shape} and the type {wave.dtype}, but must be (n_samples,) of real numbers"
        )
    if not len(wave):
        return "has no samples"
    not_finite = np.flatnonzero(~np.isfinite(wave))
    if len(not_finite):
        return f"{plural(len(not_finite), 'sample')} NaN or infinite, the first at {not_finite[0]:,}"
    return None


def _scaled(wave: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if wave.dtype.kind == "i":
        wave = wave / -float(np.iinfo(wave.dtype).min)
    return wave.astype(np.float32)


def write_waves(
    waves: Sequence[npt.NDArray[np.float32]], sample_rate: int, folder: Path, digits: int = 6
) -> list[str]:
    """Write each wave into a file of a folder, and give the paths."""
    paths = [folder / f"{row:0{digits}d}.wav" for row in range(len(waves))]
    for path, wave in zip(paths, waves, strict=True):
        write_wav(path, wave, int(sample_rate))
    return [str(path) for path in paths]


def _paths(data: Any) -> list[Path]:
    """Check one path or several."""
    if isinstance(data, str | Path):
        return [Path(data)]
    try:
        paths = list(data)
    except TypeError:
        paths = [data]
    wrong_types = sorted({type(path).__name__ for path in paths if not isinstance(path, str | Path)})
    if wrong_types or not paths:
        raise DataError(
            f"Expected a path, a list of paths, a DataFrame, clips, or samples as a NumPy array with sample_rate=, but "
            f"got {'an empty ' if not paths else ''}{type(data).__name__}"
            + (f" of {', '.join(wrong_types)}." if wrong_types and paths[0] is not data else ".")
        )
    return [Path(path) for path in paths]


def _names(clips: Clips) -> pd.Index[Any]:
    """Name clips by their paths, with their spans where they have some, or by their ids."""
    table = clips.table
    if not clips.has_audio:
        return pd.Index(list(clips.given_ids) or table["clip_id"].tolist(), name="id", dtype=object)
    if table["start"].notna().any():
        return pd.MultiIndex.from_frame(table[["path", "start", "end"]])
    return pd.Index(table["path"], name="path", dtype=object)
