"""`aurist merge`: one folder of detections, or one table of features, from those of several machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import say


def merge(
    shards: Annotated[
        list[Path],
        typer.Argument(
            help="The folders of all shards of `aurist predict --shard` or `aurist features --shard`."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder of detections, or table of features (.parquet or .csv), to make."
        ),
    ],
    safe_csv: opt.SafeCsv = False,
) -> None:
    """Merge the shards of several machines; missing, repeated and unfinished shards are refused.

    After detections are merged, write the tables with `aurist predict` and all recordings: nothing is scanned again.

    Examples:

      aurist predict run archive/ --shard 1/16 -o part-1

      aurist merge part-* -o detections

      aurist predict run archive/ -o detections

      aurist features music/ --shard 1/16 -o part-1

      aurist merge part-* -o features.parquet
    """
    from aurist.detection.sharding import merge_shards
    from aurist.errors import about, listing, plural
    from aurist.inference.feature_shards import is_feature_shard, merge_feature_shards

    if any(map(is_feature_shard, shards)):
        table = merge_feature_shards(shards, output, safe_csv=safe_csv)
        unreadable = [about(clip, why) for clip, why in table.failures.items()]
        what = "clip"
    else:
        unreadable, what = merge_shards(shards, output), "recording"
    say(f"written: {output} ({plural(len(shards), 'shard')})")
    if unreadable:
        say(f"{plural(len(unreadable), what)} cannot be read:\n{listing(unreadable)}")
