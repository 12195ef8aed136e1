"""Cut annotated recordings into labelled clips: windows or boxes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from aurist.annotations.cuts import BACKGROUND_WEIGHT, Cut, assumed_background, with_some_background
from aurist.annotations.groups import groups_of
from aurist.annotations.table import ABSENT, Annotation, Annotations
from aurist.annotations.window_choice import propose_window
from aurist.clips import BACKGROUND, Clips, make_clips
from aurist.errors import ConfigError, DataError, check_one_of, listing, plural

CLIP_MODES = ("windows", "boxes")
UNANNOTATED = ("absent", "unknown", "partial")
GROUPS = ("recording", "folder", "day", "time")
#: A window that begins less than this before the end of the recording is not needed.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class CutOptions:
    """Options to cut recordings into clips.

    Parameters
    ----------
    clip_mode
        "windows": the whole recording, a window every ``hop`` seconds. "boxes": a clip for each box; a network with
        window placement "centre" also gets the sound around it. A point gets a window around it.
    window, hop
        Length and hop of the windows in seconds. None: both are proposed by the lengths of the boxes
        (`aurist.annotations.window_choice.propose_window`). A window that is given without a hop has no overlap.
    min_overlap
        Seconds of a box that a window must contain to get its label, or half of the box if that is less.
    background
        Windows without labels to keep per window with labels, drawn at random; None: all of them, or none if classes
        without annotation are unknown, as such windows teach nothing.
    unannotated
        The meaning of a class without annotation: "absent" (somebody listened to everything), "unknown", or "partial":
        absent in clips with a label, unknown in all others.
    group_by
        The group that stays in one fold: the "recording", its "folder" (often a site), the "day" in its name, or
        "time": stretches of each recording, with unused gaps. A single recording is always divided by time.
    seed
        Seed of the draw of the background.
    band
        True: networks only get the band of the boxes, from the lowest frequency of all boxes to the highest.

    Raises
    ------
    ConfigError
        If a value is invalid.
    """

    clip_mode: str = "windows"
    window: float | None = None
    hop: float | None = None
    min_overlap: float = 0.25
    background: float | None = None
    unannotated: str = "absent"
    group_by: str = "recording"
    seed: int = 0
    band: bool = False

    def __post_init__(self) -> None:
        for name, allowed in (("clip_mode", CLIP_MODES), ("group_by", GROUPS), ("unannotated", UNANNOTATED)):
            check_one_of(name, getattr(self, name), allowed)
        for name in ("window", "hop", "min_overlap"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"{name} is {value:g} s, but must be above 0.")
        if self.background is not None and self.background < 0:
            raise ConfigError(f"background is {self.background:g}, but must be 0 or more.")


def to_clips(
    annotations: Annotations,
    durations: Mapping[str, float],
    options: CutOptions,
    *,
    partial: Collection[str] = (),
) -> Clips:
    """Cut annotated recordings into clips that may have several labels.

    Labels of absent boxes go to ``absent``. If a stretch has a present and an absent box of a label, it is present.

    Parameters
    ----------
    annotations
        The annotations of all recordings.
    durations
        Seconds of each recording.
    options
        The options.
    partial
        Recordings where classes without annotation are unknown, regardless of ``options.unannotated``. Some windows of
        these without any annotation are assumed to have no class, with less weight: a model that knows of a
        recording little but calls would take all of it for calls. They are learnt from, and never scored.

    Raises
    ------
    DataError
        If the length of a recording is unknown, boxes are after its end, or there are no annotations: all at once. Or
        if ``options.band`` is set and no box has a band.

    Examples
    --------
    >>> from aurist.annotations import make_annotations
    >>> annotations = make_annotations([{"path": "a.wav", "start": 4, "end": 6.5, "label": "wren"}], "a.txt")
    >>> clips = to_clips(annotations, {"a.wav": 10.0}, CutOptions(window=5))
    >>> list(zip(clips.table["start"], clips.table["labels"]))
    [(0.0, ('wren',)), (5.0, ('wren',))]
    """
    _check(annotations, durations)
    grid, notes = _grid(annotations, options)
    by_path: dict[str, list[Annotation]] = {path: [] for path in annotations.recordings}
    for annotation in annotations:
        by_path[annotation.path].append(_inside(annotation, durations[annotation.path]))
    cuts: list[Cut] = []
    for path, boxes in by_path.items():
        stretches = (
            [_stretch(annotation, durations[path], grid[0]) for annotation in boxes]
            if options.clip_mode == "boxes"
            else _windows(durations[path], *grid, boxes, options.min_overlap)
        )
        cuts += [_filled(path, start, end, boxes, options) for start, end in dict.fromkeys(stretches)]
    unknown = set(partial if options.unannotated == "absent" else by_path)
    labels = frozenset(annotation.label for annotation in annotations)
    of_windows = partial if options.clip_mode == "windows" else ()
    assumed = assumed_background(cuts, of_windows, labels, options.seed)
    cuts = with_some_background(cuts, options.background, unknown, options.seed)
    if unknown:
        rest_absent = options.unannotated == "partial"
        cuts = [
            replace(cut, absent=labels - cut.present)
            if cut.path not in unknown or (rest_absent and cut.present and cut.path not in partial)
            else cut
            for cut in cuts
        ]
    cuts += assumed
    spans = [(cut.path, cut.start, cut.end) for cut in cuts]
    groups, note = groups_of(spans, durations, grid[0], options.group_by)
    cuts = [cut for cut, group in zip(cuts, groups, strict=True) if group is not None]
    clips = make_clips(
        [tuple(sorted(cut.present)) for cut in cuts],
        paths=[cut.path for cut in cuts],
        starts=[cut.start for cut in cuts],
        ends=[cut.end for cut in cuts],
        absent=[tuple(sorted(cut.absent)) for cut in cuts],
        groups=[group for group in groups if group is not None],
        parts=[BACKGROUND if cut.is_assumed else "train" for cut in cuts],
        weights=[BACKGROUND_WEIGHT if cut.is_assumed else 1.0 for cut in cuts],
        multilabel=True,
        unannotated="unknown" if unknown else "absent",
        root=annotations.root,
        notes=(*annotations.notes, *notes, *note),
    )
    window = grid[0] if options.clip_mode == "windows" else None
    present_boxes = annotations.table[annotations.table["state"] != ABSENT][["path", "start", "end", "label"]]
    return replace(
        clips,
        window=window,
        by_time=bool(note),
        boxes=None if window is None else present_boxes.reset_index(drop=True),
        band=_band(annotations) if options.band else None,
    )


def _band(annotations: Annotations) -> tuple[float, float]:
    """Return the lowest and the highest frequency of all boxes."""
    boxes = [annotation for annotation in annotations if annotation.has_band]
    if not boxes:
        raise DataError(
            "The band of the boxes was asked for, but no annotation has a lowest and a highest frequency. Leave "
            "band=True out, or give tables with both columns."
        )
    return min(annotation.low for annotation in boxes), max(annotation.high for annotation in boxes)


def _check(annotations: Annotations, durations: Mapping[str, float]) -> None:
    problems = [
        f"{path}: its length is not known" for path in annotations.recordings if path not in durations
    ]
    for annotation in annotations:
        length = durations.get(annotation.path, float("inf"))
        if annotation.start > length + _TOLERANCE or (
            annotation.start >= length and annotation.end > annotation.start
        ):
            problems.append(
                f"{annotation.path}: {annotation.label} at {annotation.start:g} s, but the recording lasts {length:g} s"
            )
    if not len(annotations):
        problems.append("there is no annotation at all")
    if problems:
        raise DataError(
            f"{plural(len(problems), 'problem')} in the annotations:\n{listing(problems)}\n"
            "Do the annotations belong to these recordings?"
        )


def _grid(annotations: Annotations, options: CutOptions) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Return the window and the hop, and a note if they are proposed here."""
    if options.window is not None:
        return (options.window, options.hop or options.window), ()
    choice = propose_window(annotations)
    return (choice.window, options.hop or choice.hop), (
        choice.note,
    ) if options.clip_mode == "windows" else ()


def _windows(
    length: float, window: float, hop: float, boxes: list[Annotation], min_overlap: float
) -> list[tuple[float, float]]:
    """Return windows up to the end; a last one is moved back to end with the recording.

    It is left out if it shares more than half with the window before: nearly the same clip would count twice. It stays
    if it has a box that no other window has.
    """
    last = max(0.0, length - window)
    starts = np.arange(0.0, last + _TOLERANCE, hop)
    stretches = [(float(start), min(length, float(start) + window)) for start in starts]
    rest = last - float(starts[-1])
    if rest <= _TOLERANCE:
        return stretches
    whole = (last, min(length, last + window))
    if rest >= window / 2 - _TOLERANCE or any(
        _is_in(box, *whole, min_overlap) and not any(_is_in(box, *other, min_overlap) for other in stretches)
        for box in boxes
    ):
        stretches.append(whole)
    return stretches


def _inside(annotation: Annotation, length: float) -> Annotation:
    """Move a point at the very end into the last window."""
    if annotation.end > annotation.start or annotation.start < length:
        return annotation
    last = float(np.nextafter(length, 0.0))
    return annotation._replace(start=last, end=last)


def _stretch(annotation: Annotation, length: float, window: float) -> tuple[float, float]:
    """Return the times of a box; a point gets a window around it."""
    if annotation.end > annotation.start:
        return annotation.start, annotation.end
    start = min(max(0.0, annotation.start - window / 2), max(0.0, length - window))
    return start, min(length, start + window)


def _filled(path: str, start: float, end: float, boxes: list[Annotation], options: CutOptions) -> Cut:
    inside = [annotation for annotation in boxes if _is_in(annotation, start, end, options.min_overlap)]
    present = frozenset(annotation.label for annotation in inside if annotation.state != ABSENT)
    absent = frozenset(annotation.label for annotation in inside if annotation.state == ABSENT)
    return Cut(path, start, end, present, absent - present)


def _is_in(annotation: Annotation, start: float, end: float, min_overlap: float) -> bool:
    """Tell whether a stretch contains enough of a box, or contains a point."""
    shared = min(annotation.end, end) - max(annotation.start, start)
    if annotation.end == annotation.start:
        return start <= annotation.start < end
    # half of a long box may not fit in the stretch
    return (
        shared > 0
        and shared >= min(min_overlap, 0.5 * (annotation.end - annotation.start), end - start) - _TOLERANCE
    )
