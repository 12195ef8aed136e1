"""`aurist clips`: detections to listen to, and what was heard back as annotations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_table, say

if TYPE_CHECKING:
    from aurist.run import RunFolder


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(clips)


def clips(
    run: opt.RunFolder,
    detections: Annotated[
        Path | None, typer.Argument(help="The folder that `aurist predict` made of recordings.")
    ] = None,
    best: Annotated[
        int | None, typer.Option(help="Cut so many of each class with the highest scores.", min=0)
    ] = None,
    uncertain: Annotated[
        int | None,
        typer.Option(help="Cut so many of each class with scores nearest to the threshold.", min=0),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            help="Cut so many of each class drawn by lot from those announced, evenly over their scores: their share "
            "of right ones estimates that of all.",
            min=0,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="These classes only: a,b or a file with one on each line. With --read: labels that are new to the run."
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            help="Score from which a class is announced. Default, as in predict: its threshold, else 0.5."
        ),
    ] = None,
    precision: opt.Precision = None,
    around: Annotated[float, typer.Option(help="Seconds of sound before and behind each.")] = 1.0,
    form: Annotated[str, typer.Option("--format", help="wav or flac.")] = "wav",
    seed: Annotated[int, typer.Option(help="Seed of the random draw.", min=0, max=opt.MOST_SEED)] = 0,
    audio_root: Annotated[
        Path | None, typer.Option(help="Folder of the recordings, where they were moved since.")
    ] = None,
    read: Annotated[
        Path | None, typer.Option(help="A clips.csv with verdicts, to be written as annotations.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder to make, 'clips' by default; with --read a CSV, 'annotations.csv' by default.",
        ),
    ] = None,
    safe_csv: opt.SafeCsv = False,
) -> None:
    """Cut detections into short files to listen to; then read what you said of them as annotations to learn from.

    Fill in the column verdict of clips.csv, or open index.html beside it: yes, no, ? or the label that it should be.
    Without --best, --uncertain and --random the 20 best of each class are cut.

    Examples:

      aurist clips run detections --uncertain 20 --random 50 -o clips

      aurist clips run --read clips/clips.csv -o annotations.csv

      aurist fit recordings/ --annotations tables/ --verdicts annotations.csv -o better
    """
    from aurist.errors import ConfigError
    from aurist.run import open_run

    opened = open_run(run)
    if (read is None) == (detections is None):
        raise ConfigError(
            "Give a folder of detections to cut, as in `aurist clips RUN DETECTIONS`, or a table to read, as in "
            "`aurist clips RUN --read clips.csv`; one of the two."
        )
    if read is not None:
        _read(opened, read, output or Path("annotations.csv"), labels, safe_csv)
        return
    assert detections is not None
    given = (best, uncertain, random)
    counts = (20, 0, 0) if given == (None, None, None) else tuple(count or 0 for count in given)
    asked = (min_score, precision)
    output = output or Path("clips")
    _cut(opened, detections, output, (*counts, seed), labels, asked, around, form, audio_root, safe_csv)


def _cut(
    run: RunFolder,
    folder: Path,
    output: Path,
    counts: tuple[int, ...],
    labels: str | None,
    asked: tuple[float | None, float | None],
    around: float,
    form: str,
    audio_root: Path | None,
    safe_csv: bool,
) -> None:
    from aurist.detection.export import labels_from
    from aurist.errors import plural
    from aurist.folders import check_output
    from aurist.report import write_review
    from aurist.review.clips import cut_clips, detections_to_review
    from aurist.review.sampling import Sampling

    check_output(output, folder=True)
    wanted = None if labels is None else labels_from(labels)
    found = detections_to_review(
        run,
        folder,
        Sampling(*counts),
        labels=wanted,
        min_score=asked[0],
        precision=asked[1],
        audio_root=audio_root,
    )
    table = cut_clips(
        found.drawn,
        found.classes,
        output,
        around=around,
        form=form,
        channel=found.channel,
        safe_csv=safe_csv,
    )
    write_review(output, table, found.classes, around=around)
    say(
        f"written: {output} ({plural(len(table), 'clip')}); fill in verdicts in {output / 'index.html'} or "
        f"{output / 'clips.csv'}, and read them with: aurist clips {run.folder} --read {output / 'clips.csv'}"
    )


def _read(run: RunFolder, path: Path, output: Path, labels: str | None, safe_csv: bool) -> None:
    from aurist.annotations import write_annotations
    from aurist.detection.export import labels_from
    from aurist.errors import ConfigError, plural
    from aurist.folders import check_output
    from aurist.review.verdicts import read_verdicts

    if output.resolve() == path.resolve():
        raise ConfigError(f"{path} is never written to; give another file with -o.")
    check_output(output)
    more = () if labels is None else labels_from(labels)
    found = read_verdicts(path, [*run.classes(), *more])
    if len(found.precision):
        title = "what was right of what was announced, with 95% intervals; of random ones it holds for all announced"
        print_table(found.precision, title=title, digits=3)
    write_annotations(found.annotations, output, "csv", safe_csv=safe_csv)
    say(
        f"written: {output} ({plural(len(found.annotations), 'annotation')}; {plural(found.open, 'clip')} without a "
        "verdict)"
    )
