"""Data with keywords that say how it is read: to clips, to a check, to a table of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from aurist.api.inputs import Data, clips_of, labelled
from aurist.api.messages import errors_in_python, log
from aurist.clips import Clips
from aurist.clips import read as clips_reader
from aurist.clips.read import ReadOptions


def read_options(
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    fold: str | None = None,
    start: str | None = None,
    end: str | None = None,
    id: str | None = None,
    features: Sequence[str] | str | None = None,
    label_from: str | None = None,
    audio_root: str | Path | None = None,
    label_separator: str | None = None,
) -> ReadOptions:
    """Give the reader's settings."""
    return ReadOptions(
        label=label,
        path=path,
        group=group,
        fold=fold,
        start=start,
        end=end,
        id=id,
        features=(features,) if isinstance(features, str) else None if features is None else tuple(features),
        label_from=label_from,
        audio_root=None if audio_root is None else Path(audio_root),
        label_separator=label_separator,
    )


def read_clips(
    data: Data,
    *,
    label: str | None = None,
    group: str | None = None,
    fold: str | None = None,
    path: str | None = None,
    start: str | None = None,
    end: str | None = None,
    id: str | None = None,
    features: Sequence[str] | str | None = None,
    label_from: str | None = None,
    audio_root: str | Path | None = None,
    label_separator: str | None = None,
) -> Clips:
    """Read labelled data into a table of clips, to look at before a fit.

    Parameters
    ----------
    data
        The path of a folder of recordings or of a table, or a DataFrame.
    label, group, fold, path, start, end, id, features, label_from, audio_root, label_separator
        As in `aurist.fit`.

    Returns
    -------
    Clips
        ``table`` has a row for each clip, ``notes`` what was guessed; `aurist.fit` takes it.

    Raises
    ------
    DataError
        If there is nothing to read, or rows are not what they must be: all of them at once.

    Examples
    --------
    >>> import aurist
    >>> clips = aurist.read_clips("songs.csv", label="genre")
    >>> clips.features, clips.classes
    (('tempo', 'energy'), ('folk', 'rock'))
    """
    with errors_in_python():
        options = read_options(
            label, path, group, fold, start, end, id, features, label_from, audio_root, label_separator
        )
        return clips_reader.read_clips(labelled(data, "data"), options)


def read_annotated(
    recordings: str | Path,
    annotations: str | Path | None = None,
    *,
    label: str | None = None,
    verdicts: str | Path | None = None,
    clip_mode: str = "windows",
    window: float | None = None,
    hop: float | None = None,
    min_overlap: float = 0.25,
    background: float | None = None,
    unannotated: str = "absent",
    group_by: str = "recording",
    band: bool = False,
    allow_missing: bool = False,
    seed: int = 0,
    time_limit: float | str | None = None,
) -> Clips:
    """Cut annotated recordings into clips, for `aurist.fit`.

    Parameters
    ----------
    recordings
        Their folder.
    annotations
        A file of annotations (Raven, Audacity, CSV ...), or a folder of them. None: there are only verdicts.
    label
        Column of the labels, where a format has several.
    verdicts
        Annotations of `aurist verdicts`, a file or a folder: of recordings that stand in these alone, the rest is
        unknown, and some of it serves as background.
    clip_mode
        "windows": the whole recording; "boxes": a clip for each annotation.
    window, hop
        Seconds of a window, and from one to the next. None: by the lengths of the boxes; a window that is given without
        a hop has no overlap.
    min_overlap
        Seconds of an annotation that a window must hold to have its label, or half of it.
    background
        Windows without labels for each one with some; None: all.
    unannotated
        Labels without annotation are "absent", "unknown", or "partial": absent in clips with a label, unknown in
        others.
    group_by
        The unit that must not be divided between folds: "recording", "folder", "day", or "time": stretches
        of each recording, with unused gaps.
    band
        Networks hear only the band in which the annotations lie.
    allow_missing
        Leave out annotations of recordings that are not in the folder.
    seed
        Of the draw of the background.
    time_limit
        The wall time of the fit that will follow, in seconds or as text, such as "10m". A tenth of it may be used to
        try a second window, if neither ``window`` nor ``hop`` is given. None: none is tried.

    Raises
    ------
    DataError, ConfigError
        If annotations cannot be read, their recordings are missing, or a setting makes no sense.

    Examples
    --------
    >>> import aurist
    >>> clips = aurist.read_annotated("field", "calls.csv", window=1.0)
    >>> len(clips), clips.classes
    (4, ('wren',))
    """
    from aurist.annotations import CutOptions
    from aurist.automl.annotated import read_annotated as read
    from aurist.automl.window_trial import cut_by_better_window
    from aurist.config import FitConfig, parse_duration

    with errors_in_python():
        options = CutOptions(
            clip_mode, window, hop, min_overlap, background, unannotated, group_by, seed, band
        )
        more = None if verdicts is None else Path(verdicts)
        cut = partial(
            read,
            Path(recordings),
            None if annotations is None else Path(annotations),
            label=label,
            verdicts=more,
            allow_missing=allow_missing,
        )
        if time_limit is None:
            return cut(options)
        seconds = parse_duration(time_limit) if isinstance(time_limit, str) else time_limit
        return cut_by_better_window(cut, options, FitConfig(time_limit=seconds, seed=seed))


def check(
    data: Data | Sequence[str | Path],
    *,
    test: Data | None = None,
    label: str | None = None,
    group: str | None = None,
    fold: str | None = None,
    path: str | None = None,
    start: str | None = None,
    end: str | None = None,
    id: str | None = None,
    features: Sequence[str] | str | None = None,
    label_from: str | None = None,
    audio_root: str | Path | None = None,
    label_separator: str | None = None,
    near_duplicates: bool = True,
    jobs: int = 0,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Look at data before learning from it: what is broken, duplicated, contradictory, or would leak.

    Parameters
    ----------
    data
        The path of a folder or of a table, several recordings, a DataFrame, or clips; with labels or without.
    test
        Data that will be predicted later, to be compared with the first.
    label, group, fold, path, start, end, id, features, label_from, audio_root, label_separator
        As in `aurist.fit`.
    near_duplicates
        Look for near duplicates too.
    jobs
        Cores to use; 0: all.
    cache_dir
        As in `aurist.fit`.

    Returns
    -------
    pandas.DataFrame
        ``kind`` and ``finding``, a sentence, of each problem; no row where there is none.

    Raises
    ------
    DataError
        If the data cannot be read at all.

    Examples
    --------
    >>> import aurist, pandas as pd
    >>> table = pd.DataFrame({"tempo": [1.0, 1.0, 2.0], "genre": ["rock", "folk", "folk"]})
    >>> aurist.check(table)["kind"].tolist()[:2]
    ['duplicates', 'contradictory labels']
    """
    from aurist.audit import audit
    from aurist.audit.sentences import findings
    from aurist.clips.guessed_groups import apply_grouping, without_guessed_groups
    from aurist.folders import default_cache_dir
    from aurist.inference.inputs import read_sources

    with errors_in_python():
        options = read_options(
            label, path, group, fold, start, end, id, features, label_from, audio_root, label_separator
        )
        with clips_of(data, None, lambda source: read_sources(source, options)) as (clips, _):
            more = None
            if test is not None:
                unlabelled = replace(options, label=None, group=None, fold=None)
                more = clips_reader.read_clips(labelled(test, "test"), unlabelled, labelled=False)
                more = apply_grouping(without_guessed_groups(more), clips.grouping)
            folder = default_cache_dir() if cache_dir is None else Path(cache_dir)
            result = audit(clips, more, jobs=jobs, cache_dir=folder, near=near_duplicates)
        for note in clips.notes:
            log(note)
    return pd.DataFrame(findings(result), columns=["kind", "finding"])
