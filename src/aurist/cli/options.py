"""Options that several commands share, and how they become settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurist.clips.read import ReadOptions

#: A panel of the help.
READING = "How the table or folder is read"

Data = Annotated[Path, typer.Argument(help="A folder of recordings, or a table: csv, tsv, parquet, arff.")]
RunFolder = Annotated[Path, typer.Argument(help="The run folder that `aurist fit` made.")]
Model = Annotated[str | None, typer.Option(help="A model of the leaderboard; the ensemble by default.")]
Precision = Annotated[
    float | None,
    typer.Option(
        help="Name a class from where so much of what is named is surely right, as 0.9, and one that does not reach it "
        "never; for clips with several labels."
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        help="Column of the labels, a;b for several. Columns not given are guessed, and said.",
        rich_help_panel=READING,
    ),
]
PathColumn = Annotated[
    str | None,
    typer.Option(
        "--path", help="Column of the audio files; 'none': the rows are features.", rich_help_panel=READING
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        help="Column of what must not straddle folds: recording, artist, site.", rich_help_panel=READING
    ),
]
Fold = Annotated[
    str | None,
    typer.Option(help="Column of the folds to use; 'none' to have folds made.", rich_help_panel=READING),
]
Start = Annotated[
    str | None,
    typer.Option(help="Column of where each clip begins in its file, in seconds.", rich_help_panel=READING),
]
End = Annotated[
    str | None,
    typer.Option(help="Column of where each clip ends in its file, in seconds.", rich_help_panel=READING),
]
Id = Annotated[str | None, typer.Option("--id", help="Column that names each row.", rich_help_panel=READING)]
Features = Annotated[
    str | None,
    typer.Option(
        help="Columns that are features, comma-separated, * allowed. Default: all that are nothing else, or none "
        "beside a column of audio files.",
        rich_help_panel=READING,
    ),
]
LabelFrom = Annotated[
    str | None,
    typer.Option(
        help="Read labels and groups from file names of this pattern: '{label}_{group}_{n}'.",
        rich_help_panel=READING,
    ),
]
AudioRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder that paths in a table are relative to. Default: the table's.", rich_help_panel=READING
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the folds, the models and the bootstrap.")]
Jobs = Annotated[int, typer.Option(help="Cores to use; 0 for all.")]
CacheDir = Annotated[
    Path | None,
    typer.Option(help="Where features are stored between commands. Default: what `aurist cache` names."),
]
Metric = Annotated[
    str | None,
    typer.Option(
        help="What to maximise: accuracy, f1_macro, roc_auc, lwlrap ... Default: accuracy; with several labels a "
        "clip average_precision."
    ),
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change to the recipes: training.epochs=5. May be repeated."),
]
Subset = Annotated[
    float | None, typer.Option(help="Learn from such a share of the data only, as 0.1, for trials.")
]
Folds = Annotated[
    int | None,
    typer.Option(help="How many folds to make where the data has none; at least 2. Default: by preset."),
]
SampleRate = Annotated[int | None, typer.Option(help="Sample rate in Hz of the features made from audio.")]
AllowLoss = Annotated[
    bool,
    typer.Option(
        "--allow-loss", help="Go on even where over a tenth of the clips, or all of a class, are broken."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script instead of a table.")]

#: A panel of the help.
ANNOTATED = "Annotated recordings"
Annotations = Annotated[
    Path | None,
    typer.Option(
        help="A file or folder of annotations of the recordings: Raven, Audacity, RFCX, BirdCLEF, BirdNET ...",
        rich_help_panel=ANNOTATED,
    ),
]
Cut = Annotated[
    str, typer.Option(help="windows: the whole recording; boxes: a clip each.", rich_help_panel=ANNOTATED)
]
CutWindow = Annotated[float, typer.Option(help="Seconds of a window.", rich_help_panel=ANNOTATED)]
CutHop = Annotated[
    float | None,
    typer.Option(
        help="Seconds from one to the next. Default: they do not overlap.", rich_help_panel=ANNOTATED
    ),
]
MinOverlap = Annotated[
    float,
    typer.Option(help="Seconds of a box that a window must hold, or half of it.", rich_help_panel=ANNOTATED),
]
Background = Annotated[
    float | None,
    typer.Option(
        help="Windows without labels for each one with some. Default: all.", rich_help_panel=ANNOTATED
    ),
]
Unlisted = Annotated[
    str, typer.Option(help="Whether what is not annotated is absent or unknown.", rich_help_panel=ANNOTATED)
]
Band = Annotated[
    bool,
    typer.Option(
        "--band", help="Networks hear only the band in which the boxes lie.", rich_help_panel=ANNOTATED
    ),
]
Together = Annotated[
    str,
    typer.Option(help="What must not straddle folds: recording, folder or day.", rich_help_panel=ANNOTATED),
]


def read_options(
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    fold: str | None = None,
    start: str | None = None,
    end: str | None = None,
    row_id: str | None = None,
    features: str | None = None,
    label_from: str | None = None,
    audio_root: Path | None = None,
) -> ReadOptions:
    """The reader's settings from the command line's."""
    from aurist.clips.read import ReadOptions

    return ReadOptions(
        label=label,
        path=path,
        group=group,
        fold=fold,
        start=start,
        end=end,
        id=row_id,
        features=None if features is None else tuple(name.strip() for name in features.split(",")),
        label_from=label_from,
        audio_root=audio_root,
    )
