"""`aurist index`, `aurist search` and `aurist map`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from aurist.search import WindowIndex

Index = Annotated[Path, typer.Argument(metavar="INDEX", help="The folder that `aurist index` made.")]


def index(
    recordings: Annotated[
        list[Path], typer.Argument(help="Recordings, a folder of them, or a table that lists them.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the index.")] = Path("index"),
    embed: Annotated[
        str | None,
        typer.Option(
            help="Pretrained network: a name of `aurist embedders`, or a TOML file. Default: the only one here."
        ),
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option(help="Seconds from one window to the next. Default: by the network.", min=0.05),
    ] = None,
    accept_licence: Annotated[
        list[str] | None,
        typer.Option(help="Accept the licence of this embedder, which forbids commercial use."),
    ] = None,
    cluster: opt.Cluster = None,
    jobs: opt.Jobs = 0,
) -> None:
    """Index recordings: turn all their windows into vectors, to search them by sound.

    The same command continues after an interruption, and adds new recordings.

    Examples:

      aurist index recordings/ -o index

      aurist index recordings/ --embed yamnet --hop 0.5 -o index

      aurist index archive/ --embed yamnet --cluster ray://head:10001 -o index
    """
    from aurist.cli.embedding import accept_licences
    from aurist.clips.read import ReadOptions
    from aurist.detection.scan import recordings_of
    from aurist.errors import ConfigError, plural
    from aurist.folders import check_output
    from aurist.inference.inputs import read_sources
    from aurist.search import build_index, index_on_cluster, open_index
    from aurist.search.choice import embedder_for

    accept_licences(accept_licence or (), [embed] if embed else ())
    check_output(output, folder=True)
    record, embedder, network = embedder_for(embed)
    if hop is not None and hop > record.embedder.seconds:
        raise ConfigError(
            f"hop is {hop:g} s, but a window has {record.embedder.seconds:g} s: sound would be left out."
        )
    clips = read_sources(recordings, ReadOptions())
    if cluster is not None:
        failures = index_on_cluster(recordings_of(clips), output, record, network, cluster, hop=hop)
    else:
        failures = build_index(recordings_of(clips), output, record, embedder, hop=hop, jobs=jobs)
    made = open_index(output)
    hours = sum(recording.seconds for recording in made.recordings) / 3600
    say(
        f"written: {output} ({plural(len(made), 'window')} of {plural(len(made.recordings), 'recording')}, "
        f"{hours:.1f} h, by {record.name}); search it with: aurist search {output} SOUND"
    )
    if failures:
        raise typer.Exit(1)


def search(
    index_folder: Index,
    sound: Annotated[Path, typer.Argument(help="A recording of what to look for.")],
    start: Annotated[
        float, typer.Option(help="Start of the sound in the recording, in seconds.", min=0)
    ] = 0.0,
    end: Annotated[float | None, typer.Option(help="End of the sound. Default: of the recording.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", help="Windows to find.", min=1)] = 20,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV to write. Default: print the table.")
    ] = None,
    review: Annotated[
        Path | None,
        typer.Option(
            help="Folder to make: cut the windows out, to listen to and to judge. Of windows that sound almost the "
            "same, such as copies, one is cut."
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="Name of what to look for, for --review.")] = "yes",
    jobs: opt.Jobs = 0,
    safe_csv: opt.SafeCsv = False,
) -> None:
    """Find the windows of an index that sound most like a recording, or like some seconds of it.

    With --review they are cut out, and index.html asks for a verdict on each. Read the verdicts with `aurist verdicts
    INDEX`, and learn from them.

    Examples:

      aurist search index owl.wav --start 2 --end 7 -n 50 -o similar.csv

      aurist search index owl.wav -n 100 --review clips --label owl
    """
    from aurist.errors import ConfigError
    from aurist.extras import need_extra
    from aurist.files import write_csv
    from aurist.folders import check_output
    from aurist.review.clips import TABLE
    from aurist.search import open_index, query_vectors
    from aurist.search import search as find

    if output is not None:
        check_output(output)
    if review is not None:
        need_extra("plots", "A review of clips")
        check_output(review, folder=True)
        if (review / TABLE).exists():
            raise ConfigError(
                f"{review} holds clips already, which somebody may have judged. Give another folder with --review."
            )
    opened = open_index(index_folder)
    query = query_vectors(opened, sound, start, end)
    similar = find(opened, query, count, distinct=review is not None, jobs=jobs)
    if output is not None:
        write_csv(similar, output, safe=safe_csv)
        say(f"written: {output} ({len(similar)} of {len(opened):,} windows)")
    if review is not None:
        _review(similar, review, label, opened)
    if output is None and review is None:
        print_table(similar)


def _review(similar: pd.DataFrame, folder: Path, label: str, index: WindowIndex) -> None:
    """Cut windows out of their recordings, and write the page that asks for verdicts."""
    from aurist.report import write_review
    from aurist.review.clips import cut_clips, windows_to_review, write_clips

    table = cut_clips(windows_to_review(similar, index), [label], folder, padding=0.0)
    write_review(folder, table, [label], padding=0.0)
    write_clips(table, folder)
    say(
        f"written: {folder} ({len(table)} clips); fill in verdicts in {folder / 'index.html'} or "
        f"{folder / 'clips.csv'}, and read them with: aurist verdicts {index.folder} {folder / 'clips.csv'}"
    )


def map(
    index_folder: Index,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML page to write.")] = Path("map.html"),
    groups: Annotated[int, typer.Option(help="Groups of similar windows.", min=2, max=100)] = 12,
    most: Annotated[int, typer.Option(help="Windows to draw.", min=10, max=20000)] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the map.", min=0, max=opt.MOST_SEED)] = 0,
) -> None:
    """Draw a map of an index: groups of similar windows, to look around in recordings without labels, and to hear them.

    Example:

      aurist map index -o map.html
    """
    from aurist.extras import need_extra
    from aurist.folders import check_output
    from aurist.report import write_map
    from aurist.search import open_index, sound_map

    need_extra("plots", "A map")
    check_output(output)
    opened = open_index(index_folder)
    write_map(output, opened, sound_map(opened, clusters=groups, most=most, seed=seed))
    say(f"written: {output}")
