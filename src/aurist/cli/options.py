"""Options that several commands share, in the panels of the help."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

#: Panels of the help, in the order in which commands show them.
DATA = "Data: columns and file names"
ANNOTATED = "Annotated recordings"
WINDOWS = "Long recordings, window by window"
MODELS = "Models"
NETWORKS = "Networks"
UNLABELLED = "Recordings without labels"
FEATURES = "Features of audio"
ADVANCED = "Advanced"

#: The largest seed that scikit-learn takes.
MOST_SEED = 2**32 - 1

Data = Annotated[
    Path,
    typer.Argument(
        help="A folder of recordings, a table (csv, tsv, parquet, arff), or an archive (zip, tar, tfrecord, parquet), "
        "also at a URL."
    ),
]
RunFolder = Annotated[Path, typer.Argument(help="The run folder that `aurist fit` made.")]


#: Text, and no path: a path would lose a slash of a URL.
Trained = Annotated[
    str,
    typer.Argument(
        help="A run folder, or a model folder that `aurist export` wrote; also hf://owner/name, or another URL.",
    ),
]
Model = Annotated[str | None, typer.Option(help="A model of the leaderboard. Default: the ensemble.")]


def _trust(requested: bool) -> None:
    if requested:
        os.environ["AURIST_TRUST"] = "1"


Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        callback=_trust,
        help="Load pickles of a run that was fitted elsewhere. They may run any command on this machine.",
    ),
]
Precision = Annotated[
    float | None,
    typer.Option(
        help="Target precision, e.g. 0.9: each class gets the lowest threshold that reaches it. A class that cannot "
        "reach it is never predicted. For runs with several labels per clip."
    ),
]
Unknown = Annotated[
    float | None,
    typer.Option(
        help="Label clips unknown that are unlike all that was learnt: the share of clips like the training clips that "
        "may be called unknown, e.g. 0.05. Default: none; the column likeness is written in any case.",
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        help="Score to maximise: accuracy, balanced_accuracy, f1_macro, f1_micro, f1_weighted, log_loss, roc_auc, "
        "average_precision, lwlrap, top_3, top_5. Default: accuracy, or average_precision if clips have several labels."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

Label = Annotated[
    str | None,
    typer.Option(
        help="Column of the labels. Columns that are not given are guessed, and the guess is printed.",
        rich_help_panel=DATA,
    ),
]
PathColumn = Annotated[
    str | None,
    typer.Option(
        "--path", help="Column of the audio files. 'none': the rows are features.", rich_help_panel=DATA
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        help="Column of the groups that stay in one fold, such as recording, artist or site. 'none': no groups.",
        rich_help_panel=DATA,
    ),
]
Fold = Annotated[
    str | None,
    typer.Option(help="Column of the folds to use. 'none': make new folds.", rich_help_panel=DATA),
]
Folds = Annotated[
    int | None,
    typer.Option(
        help="Number of folds to make, at least 2. Default: 5, with --preset instant 5 to 10, quick 3, best 8.",
        rich_help_panel=DATA,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(help="Column of the start of each clip in its file, in seconds.", rich_help_panel=DATA),
]
End = Annotated[
    str | None,
    typer.Option(help="Column of the end of each clip in its file, in seconds.", rich_help_panel=DATA),
]
Id = Annotated[str | None, typer.Option("--id", help="Column of the row ids.", rich_help_panel=DATA)]
Features = Annotated[
    str | None,
    typer.Option(
        help="Feature columns, separated by commas, with * for any letters. Default: all columns without another "
        "use; none if there is a column of audio files.",
        rich_help_panel=DATA,
    ),
]
LabelFrom = Annotated[
    str | None,
    typer.Option(
        help="Read labels and groups from file names of this pattern: '{label}_{group}_{n}'.",
        rich_help_panel=DATA,
    ),
]
LabelSeparator = Annotated[
    str | None,
    typer.Option(
        help="Mark between several labels in a cell: ; or , or | or space; none if each cell is one label. Default: "
        "guessed.",
        rich_help_panel=DATA,
    ),
]
AudioRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder that paths in a table are relative to. Default: the table's folder.",
        rich_help_panel=DATA,
    ),
]

Annotations = Annotated[
    Path | None,
    typer.Option(
        help="File or folder of annotations of the recordings: Raven, Audacity, RFCX, BirdCLEF, BirdNET ...",
        rich_help_panel=ANNOTATED,
    ),
]
Verdicts = Annotated[
    Path | None,
    typer.Option(
        help="Annotations of `aurist verdicts`, a file or a folder, with --annotations or alone. Everything else in "
        "their recordings is unknown; some of it serves as background.",
        rich_help_panel=ANNOTATED,
    ),
]
ClipMode = Annotated[
    str,
    typer.Option(
        help="windows: cut whole recordings into windows. boxes: make one clip per annotation.",
        rich_help_panel=ANNOTATED,
    ),
]
CutWindow = Annotated[
    float | None,
    typer.Option(
        help="Length of a window in seconds. Default: by the lengths of the boxes, with windows that overlap by half.",
        rich_help_panel=ANNOTATED,
    ),
]
CutHop = Annotated[
    float | None,
    typer.Option(
        help="Seconds from one window to the next. Default: windows of a given length do not overlap.",
        rich_help_panel=ANNOTATED,
    ),
]
MinOverlap = Annotated[
    float,
    typer.Option(
        help="Seconds of an annotation that a window must contain to get its label, or half of a shorter one.",
        rich_help_panel=ANNOTATED,
    ),
]
Background = Annotated[
    float | None,
    typer.Option(
        help="Number of windows without labels to keep per window with labels. Default: all.",
        rich_help_panel=ANNOTATED,
    ),
]
Unannotated = Annotated[
    str,
    typer.Option(
        help="Labels that are not annotated are: absent; unknown; or partial, absent in clips with another label and "
        "unknown elsewhere.",
        rich_help_panel=ANNOTATED,
    ),
]
GroupBy = Annotated[
    str,
    typer.Option(
        help="What stays in one fold: recording, folder, day, or time (stretches of each recording).",
        rich_help_panel=ANNOTATED,
    ),
]
Band = Annotated[
    bool,
    typer.Option(
        "--band",
        help="Limit the input of networks to the frequencies of the annotations.",
        rich_help_panel=ANNOTATED,
    ),
]

Change = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change a setting of the recipes: training.epochs=5. Repeatable.",
        rich_help_panel=NETWORKS,
    ),
]

SampleRate = Annotated[
    int | None,
    typer.Option(
        help="Sample rate in Hz at which features are computed. Default: 22050.", rich_help_panel=FEATURES
    ),
]
Level = Annotated[
    str,
    typer.Option(
        help="relative: features ignore the recording level. keep: features include it; use this only if all "
        "recordings have the same gain.",
        rich_help_panel=FEATURES,
    ),
]

Fraction = Annotated[
    float | None,
    typer.Option(
        help="Learn from this fraction of the groups, e.g. 0.1, for quick trials.", rich_help_panel=ADVANCED
    ),
]
AllowLoss = Annotated[
    bool,
    typer.Option(
        "--allow-loss",
        help="Continue even if more than a tenth of the clips, or all clips of a class, are broken.",
        rich_help_panel=ADVANCED,
    ),
]
NearDuplicates = Annotated[
    bool,
    typer.Option(
        help="Keep near duplicates (re-encoded, cut, at another level) in one group.",
        rich_help_panel=ADVANCED,
    ),
]
SafeCsv = Annotated[
    bool,
    typer.Option(
        "--safe-csv",
        help="Write a single quote before text that a spreadsheet could run as a formula (=, +, -, @). aurist removes "
        "it when it reads the file.",
        rich_help_panel=ADVANCED,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        help="Seed of the folds, the models and the bootstrap.",
        min=0,
        max=MOST_SEED,
        rich_help_panel=ADVANCED,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Compute on the machines of a Ray cluster, which share a disk: ray://HEAD:10001, or auto on one of them.",
        rich_help_panel=ADVANCED,
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        help="Number of cores. 0: all, or as many as the run was fitted with.",
        min=0,
        rich_help_panel=ADVANCED,
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder that stores features and decoded audio between commands. Default: $AURIST_CACHE_DIR, or the "
        "system's cache folder.",
        file_okay=False,
        rich_help_panel=ADVANCED,
    ),
]
