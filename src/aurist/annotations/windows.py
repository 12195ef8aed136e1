"""From boxes to clips: what is learnt from annotated recordings, a stretch at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aurist.annotations.table import ABSENT, Annotation, Annotations
from aurist.clips import Clips, make_clips
from aurist.errors import ConfigError, DataError, check_one_of, listing, plural

CLIP_MODES = ("windows", "boxes")
UNANNOTATED = ("absent", "unknown", "partial")
GROUPS = ("recording", "folder", "day")
#: A date in a recording's name, as recorders write it: 20190522 or 2019-05-22.
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)")
#: Windows that begin less than this before the recording ends hold next to nothing new.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class CutOptions:
    """How recordings are cut.

    Parameters
    ----------
    clip_mode
        "windows": the whole recording, a window every ``hop`` seconds. "boxes": a clip for each box, to be heard with
        sound around it by a network whose window is placed "centre"; a point gets a window around it.
    window, hop
        Of the windows; without a hop they follow each other.
    min_overlap
        Seconds of a box that a window must hold to have its label; or half of the box where that is less.
    background
        Windows without any label that are kept for each one with labels, drawn by lot; None: all of them, or none where
        what is not annotated is unknown, for nothing can be learnt from them.
    unannotated
        Whether what is not annotated is "absent" (somebody listened to everything), "unknown", or absent "partial" what
        is: in clips with a label the others are absent, and of all other clips only what boxes say is known.
    group_by
        What must not straddle folds: the "recording", its "folder" (a site, as a rule), or the "day" in its name.
    seed
        Of the draw of the background.
    band
        Networks shall hear the band alone in which the boxes lie, from the lowest frequency of all to the highest.

    Raises
    ------
    ConfigError
        Where a value makes no sense.
    """

    clip_mode: str = "windows"
    window: float = 5.0
    hop: float | None = None
    min_overlap: float = 0.25
    background: float | None = None
    unannotated: str = "absent"
    group_by: str = "recording"
    seed: int = 0
    band: bool = False

    def __post_init__(self) -> None:
        for name, known in (("clip_mode", CLIP_MODES), ("group_by", GROUPS), ("unannotated", UNANNOTATED)):
            check_one_of(name, getattr(self, name), known)
        for name in ("window", "hop", "min_overlap"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"{name} is {value:g} s, but must be above 0.")
        if self.background is not None and self.background < 0:
            raise ConfigError(f"background is {self.background:g}, but must be 0 or more.")


@dataclass(frozen=True)
class _Cut:
    """A stretch of a recording, and what is in it."""

    path: str
    start: float
    end: float
    present: frozenset[str]
    absent: frozenset[str]

    @property
    def empty(self) -> bool:
        """Whether nothing was said of it."""
        return not self.present and not self.absent


def to_clips(
    annotations: Annotations,
    durations: Mapping[str, float],
    options: CutOptions,
    *,
    partial: Collection[str] = (),
) -> Clips:
    """Cut annotated recordings into clips with several labels each.

    What is confirmed to be absent stands in ``absent``; what both a present and an absent box say of a stretch is
    present.

    Parameters
    ----------
    annotations
        Of all recordings.
    durations
        Seconds of each recording.
    options
        How to cut.
    partial
        Recordings of which what is not annotated is unknown, whatever ``options.unannotated`` says of the others.

    Raises
    ------
    DataError
        Where the length of a recording is not known, boxes lie behind its end, or nothing is annotated: all at once;
        where their band is asked for, and none has one.

    Examples
    --------
    >>> from aurist.annotations import make_annotations
    >>> made = make_annotations([{"path": "a.wav", "start": 4, "end": 6.5, "label": "wren"}], "a.txt")
    >>> clips = to_clips(made, {"a.wav": 10.0}, CutOptions(window=5))
    >>> list(zip(clips.table["start"], clips.table["labels"]))
    [(0.0, ('wren',)), (5.0, ('wren',))]
    """
    _check(annotations, durations)
    by_path: dict[str, list[Annotation]] = {path: [] for path in annotations.recordings}
    for one in annotations:
        by_path[one.path].append(_inside(one, durations[one.path]))
    cuts: list[_Cut] = []
    for path, boxes in by_path.items():
        stretches = (
            [_stretch(one, durations[path], options) for one in boxes]
            if options.clip_mode == "boxes"
            else _windows(durations[path], options)
        )
        cuts += [_filled(path, start, end, boxes, options) for start, end in dict.fromkeys(stretches)]
    unknown = set(partial if options.unannotated == "absent" else by_path)
    cuts = _with_some_background(cuts, options, unknown)
    if unknown:
        labels, beside = frozenset(one.label for one in annotations), options.unannotated == "partial"
        cuts = [
            replace(cut, absent=labels - cut.present)
            if cut.path not in unknown or (beside and cut.present and cut.path not in partial)
            else cut
            for cut in cuts
        ]
    clips = make_clips(
        [tuple(sorted(cut.present)) for cut in cuts],
        paths=[cut.path for cut in cuts],
        starts=[cut.start for cut in cuts],
        ends=[cut.end for cut in cuts],
        absent=[tuple(sorted(cut.absent)) for cut in cuts],
        groups=[_group(cut.path, options.group_by) for cut in cuts],
        multilabel=True,
        unannotated="unknown" if unknown else "absent",
        root=annotations.root,
        notes=annotations.notes,
    )
    window = options.window if options.clip_mode == "windows" else None
    return replace(clips, window=window, band=_band(annotations) if options.band else None)


def _band(annotations: Annotations) -> tuple[float, float]:
    """From the lowest frequency of the boxes to the highest."""
    boxes = [one for one in annotations if one.has_band]
    if not boxes:
        raise DataError(
            "The band of the boxes was asked for, but no annotation has a lowest and a highest frequency. Leave --band "
            "out, or give tables with both columns."
        )
    return min(one.low for one in boxes), max(one.high for one in boxes)


def _check(annotations: Annotations, durations: Mapping[str, float]) -> None:
    problems = [
        f"{path}: its length is not known" for path in annotations.recordings if path not in durations
    ]
    for one in annotations:
        length = durations.get(one.path, float("inf"))
        if one.start > length + _TOLERANCE or (one.start >= length and one.end > one.start):
            problems.append(
                f"{one.path}: {one.label} at {one.start:g} s, but the recording lasts {length:g} s"
            )
    if not len(annotations):
        problems.append("there is no annotation at all")
    if problems:
        raise DataError(
            f"{plural(len(problems), 'thing')} in the annotations that cannot be:\n{listing(problems)}\n"
            "Do the annotations belong to these recordings?"
        )


def _windows(length: float, options: CutOptions) -> list[tuple[float, float]]:
    """Windows until the end; the last one is moved back to end with the recording."""
    hop = options.hop or options.window
    last = max(0.0, length - options.window)
    starts = np.arange(0.0, last + _TOLERANCE, hop)
    if last - starts[-1] > _TOLERANCE:
        starts = np.append(starts, last)
    return [(float(start), min(length, float(start) + options.window)) for start in starts]


def _inside(one: Annotation, length: float) -> Annotation:
    """A point at the very end lies in the last window."""
    if one.end > one.start or one.start < length:
        return one
    last = float(np.nextafter(length, 0.0))
    return one._replace(start=last, end=last)


def _stretch(one: Annotation, length: float, options: CutOptions) -> tuple[float, float]:
    """A box; a point has no length of its own, and gets that of a window."""
    if one.end > one.start:
        return one.start, one.end
    start = min(max(0.0, one.start - options.window / 2), max(0.0, length - options.window))
    return start, min(length, start + options.window)


def _filled(path: str, start: float, end: float, boxes: list[Annotation], options: CutOptions) -> _Cut:
    inside = [one for one in boxes if _is_in(one, start, end, options.min_overlap)]
    present = frozenset(one.label for one in inside if one.state != ABSENT)
    absent = frozenset(one.label for one in inside if one.state == ABSENT)
    return _Cut(path, start, end, present, absent - present)


def _is_in(one: Annotation, start: float, end: float, min_overlap: float) -> bool:
    """Whether so much of a box is in a stretch; a point is in it where it lies in it."""
    shared = min(one.end, end) - max(one.start, start)
    if one.end == one.start:
        return start <= one.start < end
    # a box longer than the stretch cannot lie in it by half
    return shared > 0 and shared >= min(min_overlap, 0.5 * (one.end - one.start), end - start) - _TOLERANCE


def _with_some_background(cuts: list[_Cut], options: CutOptions, unknown: Collection[str]) -> list[_Cut]:
    """Some of the windows without labels; of recordings that are known in part these teach nothing."""
    if options.background is None:
        return [cut for cut in cuts if not (cut.empty and cut.path in unknown)]
    empty = [i for i, cut in enumerate(cuts) if cut.empty]
    wanted = round(options.background * (len(cuts) - len(empty)))
    rng = np.random.default_rng(options.seed)
    dropped: npt.NDArray[np.intp] = rng.permutation(empty)[wanted:].astype(np.intp)
    left = set(dropped.tolist())
    return [cut for i, cut in enumerate(cuts) if i not in left]


def _group(path: str, group: str) -> str:
    """What a recording belongs together with.

    Examples
    --------
    >>> _group("site 3/S4A03895_20190522_063000.ogg", "day"), _group("site 3/a.wav", "folder")
    ('2019-05-22', 'site 3')
    """
    if group == "folder":
        return path.replace("\\", "/").rpartition("/")[0] or path
    found = _DAY.search(path.replace("\\", "/").rpartition("/")[2]) if group == "day" else None
    return "-".join(found.groups()) if found else path
