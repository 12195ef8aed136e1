"""`aurist shards`: write a data set as a few large files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import LabelledColumns, spread
from aurist.cli.printing import print_json, say


@spread
def shards(
    data: opt.Data,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shards.")],
    clips_per_shard: Annotated[int, typer.Option("--clips", help="Clips of each shard.", min=1)] = 1000,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            help="Decode, resample to this rate in Hz, and write FLAC. Default: copy the files.", min=20
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="webdataset (tar files), tfrecord, or parquet (as Hugging Face's datasets are shipped).",
        ),
    ] = "webdataset",
    columns: LabelledColumns,
    as_json: opt.Json = False,
) -> None:
    """Write recordings and their labels as shards: a few large files in the place of many small ones.

    All commands read the folder of shards like the data itself. The command continues where it was interrupted.

    Examples:

      aurist shards music/ -o shards

      aurist shards clips.csv --sample-rate 22050 --clips 5000 -o shards

      aurist shards music/ --format parquet -o shards

      aurist fit shards -o run
    """
    from aurist.clips.read import read_clips
    from aurist.errors import plural
    from aurist.shards import write_shards

    clips = read_clips(data, columns.reading(), labelled=False)
    for note in clips.notes:
        say(note)
    paths = write_shards(clips, output, clips_per_shard=clips_per_shard, sample_rate=sample_rate, form=form)
    size = sum(path.stat().st_size for path in paths)
    if as_json:
        print_json({"shards": list(map(str, paths)), "clips": len(clips), "bytes": size})
        return
    say(
        f"written: {output} ({plural(len(clips), 'clip')} in {plural(len(paths), 'shard')}, {size / 1e6:.1f} MB)"
    )
