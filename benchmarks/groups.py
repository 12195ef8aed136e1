"""Groups guessed from names, and the group of the nearest clip of the same class, on real and synthetic data.

Usage: python benchmarks/groups.py DATA_FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from aurist.audit.nearest_clips import by_group, by_order, nearest_in_class, sample_rows
from aurist.clips import Clips
from aurist.clips.guess import ReadOptions
from aurist.clips.guessed_groups import FILE_NAMES, with_guessed_groups
from aurist.clips.read import read_clips
from aurist.features.store import summary_table
from aurist.features.summary import SummaryConfig
from aurist.folders import default_cache_dir

#: Largest number of clips of each set of recordings.
MOST = 800


def sets(data: Path) -> Iterator[tuple[str, Clips]]:
    """Return the data sets, with the groups that came with them."""
    yield "esc10", replace_folds(read_clips(data / "esc10"))
    yield "gtzan100", read_clips(data / "gtzan100")
    yield "fsdd", read_clips(data / "fsdd", ReadOptions(label_from="{label}_{group}_{n}"))
    yield "nips4b", read_clips(data / "nips4b")
    yield "bengalese", read_clips(data / "bengalese")
    yield "odd-files", read_clips(data / "odd-files")
    yield "frogs_mfcc.csv", read_clips(data / "tables" / "frogs_mfcc.csv")
    yield "us8k_features.csv", read_clips(data / "tables" / "us8k_features.csv")
    yield "spotify-genres", read_clips(data / "spotify-genres" / "train.csv")


def replace_folds(clips: Clips) -> Clips:
    """Return ESC-10 without its folds, which respect the sources: the guess should not use them."""
    return replace(clips, table=clips.table.assign(fold=None))


def guessed(clips: Clips) -> Clips:
    """Return the same clips without groups."""
    bare = replace(clips, table=clips.table.assign(group=None), grouping=None, notes=())
    names = {FILE_NAMES: [str(path) for path in bare.table["path"]]} if bare.has_audio else {}
    return with_guessed_groups(bare, names, ReadOptions(), given=False)


def main(data: Path) -> None:
    print(
        "| data set | guess without the given groups | same group, given | same group, guessed | neighbours in order |"
    )
    print("|---|---|---|---|---|")
    for name, clips in sets(data):
        if clips.features:
            features = clips.feature_table()
        else:
            clips = clips.take(sample_rows(clips, most=MOST))
            features = summary_table(
                clips, SummaryConfig(), cache_dir=default_cache_dir(), jobs=1, progress=False
            ).features
        rows = sample_rows(clips, features)
        some, table = clips.take(rows), features.iloc[rows]
        classes = pd.factorize(pd.Series([";".join(labels) for labels in some.table["labels"]]))[0]
        nearest = nearest_in_class(table, classes)
        guess = guessed(some)
        rule = "none"
        if guess.grouping is not None:
            state = "used" if guess.grouping.used else guess.grouping.objection
            rule = f"`{guess.grouping.rule.pattern()}`, {guess.grouping.n_groups} groups ({state})"
        given = by_group(nearest, classes, some.table["group"].tolist())
        own = by_group(nearest, classes, guess.table["group"].tolist())
        order = by_order(nearest, classes)
        shown = [
            "" if not table["group"].notna().any() else f"{alike.share:.0%} ({alike.chance:.0%})"
            for alike, table in ((given, some.table), (own, guess.table))
        ]
        mark = ", warning" if order.significant else ""
        print(
            f"| {name} | {rule} | {shown[0]} | {shown[1]} | {order.share:.0%} ({order.chance:.0%}){mark} |",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
