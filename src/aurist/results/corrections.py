"""The clips of a run with what people decided about them: other labels, and clips that are left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from aurist.clips import Clips
from aurist.run import RunFolder, read_data


@dataclass(frozen=True)
class Corrections:
    """Decisions on clips of the training data.

    Parameters
    ----------
    labels
        By ``clip_id``, the right labels.
    left_out
        The ``clip_id`` of clips that shall not be learnt from.
    """

    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left_out: Collection[str] = ()

    def __len__(self) -> int:
        return len({*self.labels, *self.left_out})


def corrected(clips: Clips, corrections: Corrections) -> Clips:
    """Give clips their right labels, and leave clips out.

    Where each clip has one label, a clip without a right one is left out, too.

    Examples
    --------
    >>> from aurist.clips import make_clips
    >>> clips = make_clips([("dog",), ("cat",), ("cat",)], clip_ids=["a", "b", "c"])
    >>> right = corrected(clips, Corrections({"a": ["cow"]}, ["c"]))
    >>> right.table["labels"].tolist(), right.classes
    ([('cow',), ('cat',)], ('cat', 'cow'))
    """
    table = clips.table
    labels, absent = [], []
    for name, given, away in zip(table["clip_id"], table["labels"], table["absent"], strict=True):
        right = tuple(corrections.labels.get(name, given))
        # where unlisted classes are unknown, a label that is taken away is known to be wrong
        wrong = () if clips.unannotated == "absent" else given
        labels.append(right)
        absent.append(tuple(label for label in dict.fromkeys((*away, *wrong)) if label not in right))
    is_kept = ~table["clip_id"].isin(list(corrections.left_out)).to_numpy()
    if not clips.multilabel:
        lost = [bool(given) and not right for right, given in zip(labels, table["labels"], strict=True)]
        is_kept &= ~np.array(lost, dtype=bool)
    table = table.assign(
        labels=pd.Series(labels, index=table.index, dtype=object),
        absent=pd.Series(absent, index=table.index, dtype=object),
    )
    kept = replace(clips, table=table).take(is_kept)
    listed = {label for column in ("labels", "absent") for row in kept.table[column] for label in row}
    return replace(kept, classes=tuple(sorted(listed)))


def corrected_table(run: RunFolder, corrections: Corrections) -> pd.DataFrame:
    """Give the clips table of a run as it is corrected, to fit again.

    Returns
    -------
    pandas.DataFrame
        ``clip_id, path, start, end, label, group, fold, part``, as `aurist fit` reads it: absent classes with a minus
        sign, and columns only where the data has them. Paths are absolute.
    """
    clips = corrected(read_data(run).clips, corrections)
    table = clips.table
    out = pd.DataFrame({"clip_id": table["clip_id"], "path": [str(file.resolve()) for file in clips.files()]})
    out[["start", "end"]] = table[["start", "end"]]
    out["label"] = [
        ";".join([*labels, *(f"-{label}" for label in absent)])
        for labels, absent in zip(table["labels"], table["absent"], strict=True)
    ]
    out[["group", "fold", "part"]] = table[["group", "fold", "part"]]
    empty = [name for name in ("start", "end", "group", "fold") if out[name].isna().all()]
    if (out["part"] == "train").all():
        empty.append("part")
    return out.drop(columns=empty)
