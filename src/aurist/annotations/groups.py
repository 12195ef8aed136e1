"""Give the groups of recordings, or of stretches of one recording, that stay in one fold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aurist.errors import plural

#: A date in a recording's name, as recorders write it: 20190522 or 2019-05-22.
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)")


def group_of(path: str, group: str) -> str:
    """Return the group of a recording.

    Examples
    --------
    >>> group_of("site 3/S4A03895_20190522_063000.ogg", "day"), group_of("site 3/a.wav", "folder")
    ('2019-05-22', 'site 3')
    """
    if group == "folder":
        return path.replace("\\", "/").rpartition("/")[0] or path
    match = _DAY.search(path.replace("\\", "/").rpartition("/")[2]) if group == "day" else None
    return "-".join(match.groups()) if match else path


#: The most stretches of a recording; the shortest one, and the unused gap between two, in windows.
_MOST, _SHORTEST, _UNUSED = 10, 8, 2
#: A recording that is divided into fewer stretches could not be both learnt and scored.
_FEWEST = 4
#: The shortest recording that can be divided, in windows.
SHORTEST_RECORDING = _FEWEST * _SHORTEST


def groups_of(
    spans: Sequence[tuple[str, float, float]], durations: Mapping[str, float], window: float, group_by: str
) -> tuple[list[str | None], tuple[str, ...]]:
    """Return the group of each span of a recording, None for those in a gap between stretches, and a note.

    A single recording is divided by time, as its clips could not be both learnt and scored otherwise.
    """
    paths = list(dict.fromkeys(path for path, _, _ in spans))
    if group_by != "time" and not (group_by == "recording" and len(paths) == 1):
        return [group_of(path, group_by) for path, _, _ in spans], ()
    groups: list[str | None] = [path for path, _, _ in spans]
    for path in paths:
        rows = [row for row, span in enumerate(spans) if span[0] == path]
        numbers = stretches_of_time([spans[row][1:] for row in rows], durations[path], window)
        for row, number in zip(rows, numbers or (), strict=False):
            groups[row] = None if number is None else f"{path} {number + 1}"
    n_groups, unused = len({group for group in groups if group is not None}), groups.count(None)
    note = (
        f"folds keep {n_groups} stretches of time of {plural(len(paths), 'recording')} together; "
        f"{plural(unused, 'clip')} between them not used. The score is for the same recordings at other times; for "
        "other recordings it is lower"
    )
    return groups, (note,) if unused else ()


def stretches_of_time(
    spans: Sequence[tuple[float, float]], length: float, window: float
) -> list[int | None] | None:
    """Divide a recording into equal stretches of time: the number of the stretch of each span, or None in a gap.

    Sound just before and after a border is alike, so two windows around each border are not used.

    Returns
    -------
    None if the recording is too short.

    Examples
    --------
    >>> stretches_of_time([(0.0, 1.0), (7.0, 8.0), (8.0, 9.0), (9.0, 10.0)], 40.0, 1.0)
    [0, None, None, 1]
    >>> stretches_of_time([(0.0, 1.0)], 20.0, 1.0) is None
    True
    """
    n = min(_MOST, int(length / (_SHORTEST * window)))
    if n < _FEWEST:
        return None
    size, half = length / n, _UNUSED * window / 2
    numbers: list[int | None] = []
    for start, end in spans:
        number = min(n - 1, int((start + end) / 2 / size))
        first, last = number * size, (number + 1) * size
        too_early = number > 0 and start < first + half - 1e-6
        too_late = number < n - 1 and end > last - half + 1e-6
        numbers.append(None if too_early or too_late else number)
    return numbers
