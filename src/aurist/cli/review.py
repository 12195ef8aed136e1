"""`aurist clips` cuts detections to listen to; `aurist verdicts` turns what people said of them into annotations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_table, say


def clips(
    run: opt.Trained,
    detections: Annotated[
        Path, typer.Argument(help="The folder of detections that `aurist predict` made of recordings.")
    ],
    best: Annotated[
        int | None, typer.Option(help="Detections of each class with the highest scores.", min=0)
    ] = None,
    uncertain: Annotated[
        int | None,
        typer.Option(help="Detections of each class with scores nearest to the threshold.", min=0),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            help="Detections of each class drawn at random, evenly over the scores. They estimate the precision of all "
            "detections.",
            min=0,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="Cut these classes only: a,b or a file with one per line."),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            help="Lowest score of a detection, 0 to 1. Default: the threshold of its class, else 0.5."
        ),
    ] = None,
    precision: opt.Precision = None,
    padding: Annotated[float, typer.Option(help="Seconds of sound before and after each detection.")] = 1.0,
    form: Annotated[str, typer.Option("--format", help="wav or flac.")] = "wav",
    seed: Annotated[int, typer.Option(help="Seed of the random draw.", min=0, max=opt.MOST_SEED)] = 0,
    audio_root: Annotated[
        Path | None, typer.Option(help="Folder of the recordings, if they were moved.")
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            help="Index of the recordings, of `aurist index`: of the best and the uncertain detections that sound "
            "almost the same, such as copies, one is cut."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to make, for the clips, clips.csv and index.html.")
    ] = Path("clips"),
    safe_csv: opt.SafeCsv = False,
) -> None:
    """Cut detections into short files to listen to and judge.

    Fill in the column verdict of clips.csv, or open index.html: yes, no, ? or the right label. Then read the verdicts
    with `aurist verdicts`. Without --best, --uncertain and --random, the 20 best detections of each class are cut.

    Examples:

      aurist clips run detections -o clips

      aurist clips run detections --uncertain 20 --random 50 -o clips

      aurist clips run detections --uncertain 50 --index index -o clips
    """
    from aurist.detection.export import labels_from
    from aurist.errors import plural
    from aurist.extras import need_extra
    from aurist.folders import check_output
    from aurist.report import write_review
    from aurist.review.clips import cut_clips, detections_to_review, write_clips
    from aurist.review.sampling import Sampling
    from aurist.run.remote import open_trained

    files = open_trained(run)
    if best is None and uncertain is None and random is None:
        best = 20
    need_extra("plots", "A review of clips")
    check_output(output, folder=True)
    review = detections_to_review(
        files,
        detections,
        Sampling(best or 0, uncertain or 0, random or 0, seed),
        labels=None if labels is None else labels_from(labels),
        min_score=min_score,
        precision=precision,
        audio_root=audio_root,
        index=index,
    )
    table = cut_clips(
        review.drawn,
        review.classes,
        output,
        padding=padding,
        form=form,
        channel=review.channel,
    )
    write_review(output, table, review.classes, padding=padding)
    write_clips(table, output, safe_csv=safe_csv)
    say(
        f"written: {output} ({plural(len(table), 'clip')}); fill in verdicts in {output / 'index.html'} or "
        f"{output / 'clips.csv'}, and read them with: aurist verdicts {files.folder} {output / 'clips.csv'}"
    )


def verdicts(
    run: opt.Trained,
    table: Annotated[Path, typer.Argument(help="The clips.csv of `aurist clips`, with verdicts filled in.")],
    labels: Annotated[
        str | None,
        typer.Option(help="Labels in the verdicts that are new to the run: a,b or a file with one per line."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV of annotations to write.")] = Path(
        "annotations.csv"
    ),
    safe_csv: opt.SafeCsv = False,
) -> None:
    """Read your verdicts on detections: print the precision of each class, and write annotations to learn from.

    Examples:

      aurist verdicts run clips/clips.csv -o annotations.csv

      aurist fit recordings/ --annotations tables/ --verdicts annotations.csv -o better
    """
    from aurist.annotations import write_annotations
    from aurist.detection.export import labels_from
    from aurist.errors import ConfigError, plural
    from aurist.folders import check_output
    from aurist.review.verdicts import read_verdicts

    if output.resolve() == table.resolve():
        raise ConfigError(f"{table} is the input and is never written to. Give another file with -o.")
    check_output(output)
    more = () if labels is None else labels_from(labels)
    judged = read_verdicts(table, [*_classes_of(run, table), *more])
    if len(judged.precision):
        title = "precision of detections, with 95% intervals; that of random ones holds for all detections"
        print_table(judged.precision, title=title, digits=3)
    write_annotations(judged.annotations, output, "csv", safe_csv=safe_csv)
    say(
        f"written: {output} ({plural(len(judged.annotations), 'annotation')}; {plural(judged.open, 'clip')} without a "
        "verdict)"
    )
    say(
        "to learn from them, put the judged recordings and those of the first fit under one folder, then: "
        f"aurist fit FOLDER --annotations TABLES --verdicts {output} -o better"
    )


def _classes_of(trained: str, table: Path) -> tuple[str, ...]:
    """Return the classes of a run or of a model folder; for an index, those of the table."""
    from aurist.annotations.text_table import read_text_table
    from aurist.folders import INDEX
    from aurist.run.remote import open_trained

    if not (Path(trained) / INDEX).exists():
        return open_trained(trained).spec.task.classes
    return tuple(dict.fromkeys(row.get("label", "") for row in read_text_table(table).rows))
