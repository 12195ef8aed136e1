"""`aurist merge`: one folder of detections from those of several machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli.printing import say


def merge(
    detections: Annotated[
        list[Path], typer.Argument(help="The folders of all shards that `aurist predict --shard` made.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of detections to make.")],
) -> None:
    """Merge the detections of several machines; missing, repeated and unfinished shards are refused.

    Then write the tables with `aurist predict` and all recordings: nothing is scanned again.

    Examples:

      aurist predict run archive/ --shard 1/16 -o part-1

      aurist merge part-* -o detections

      aurist predict run archive/ -o detections
    """
    from aurist.detection.sharding import merge_shards
    from aurist.errors import listing, plural

    unreadable = merge_shards(detections, output)
    say(f"written: {output} ({plural(len(detections), 'shard')})")
    if unreadable:
        say(f"{plural(len(unreadable), 'recording')} cannot be read:\n{listing(unreadable)}")
