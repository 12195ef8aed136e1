"""Give the groups of recordings that stay in one fold."""

from __future__ import annotations

import re

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
