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
        help="Share of what is named that shall be right, such as 0.9: each class is named from the lowest score that "
        "surely reaches it, and never where none does. Only for runs with several labels a clip."
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
LabelSeparator = Annotated[
    str | None,
    typer.Option(
        help="What stands between several labels of a cell: ; or , or |, space, or none where each is one label. "
        "Default: guessed, and said.",
        rich_help_panel=READING,
    ),
]
AudioRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder that paths in a table are relative to. Default: the table's.", rich_help_panel=READING
    ),
]
#: The largest that scikit-learn takes.
MOST_SEED = 2**32 - 1
Seed = Annotated[
    int, typer.Option(help="Seed of the folds, the models and the bootstrap.", min=0, max=MOST_SEED)
]
Jobs = Annotated[
    int, typer.Option(help="Cores to use; 0 for all, or for as many as the run was fitted with.", min=0)
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        help="Where features and decoded audio are kept between commands. Default: $AURIST_CACHE_DIR, or the "
        "system's folder for caches.",
        file_okay=False,
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        help="What to maximise: accuracy, balanced_accuracy, f1_macro, f1_micro, f1_weighted, log_loss, roc_auc, "
        "average_precision, lwlrap, top_3, top_5. Default: accuracy; with several labels a clip average_precision."
    ),
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change to the recipes: training.epochs=5. May be repeated."),
]
Fraction = Annotated[
    float | None, typer.Option(help="Learn from such a share of the groups only, as 0.1, for trials.")
]
Folds = Annotated[
    int | None,
    typer.Option(
        help="How many folds to make where the data has none; at least 2. Default: 5, with --preset quick 3, best 8."
    ),
]
SampleRate = Annotated[
    int | None, typer.Option(help="Sample rate in Hz of the features made from audio. Default: 22050.")
]
Level = Annotated[
    str,
    typer.Option(
        help="Whether features say at which level a clip was recorded: relative (no: the recorder's gain decides "
        "nothing) or keep (yes: where it tells something, and nobody touched the gain)."
    ),
]
AllowLoss = Annotated[
    bool,
    typer.Option(
        "--allow-loss", help="Go on even where over a tenth of the clips, or all of a class, are broken."
    ),
]
NearDuplicates = Annotated[
    bool, typer.Option(help="Near duplicates (re-encoded, cut, at another level) share a group.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script instead of a table.")]

SafeCsv = Annotated[
    bool,
    typer.Option(
        "--safe-csv",
        help="In CSVs, a single quote before text that a spreadsheet would take for a formula (=, +, -, @); "
        "aurist takes it off again when it reads them.",
    ),
]

#: A panel of the help.
ANNOTATED = "Annotated recordings"
Annotations = Annotated[
    Path | None,
    typer.Option(
        help="A file or folder of annotations of the recordings: Raven, Audacity, RFCX, BirdCLEF, BirdNET ...",
        rich_help_panel=ANNOTATED,
    ),
]
ClipMode = Annotated[
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
        help="Windows without labels for each one with some. Default: all of what somebody listened to.",
        rich_help_panel=ANNOTATED,
    ),
]
Unannotated = Annotated[
    str,
    typer.Option(
        help="What is not annotated is absent, unknown, or partial: absent in clips with a label, unknown in others.",
        rich_help_panel=ANNOTATED,
    ),
]
Band = Annotated[
    bool,
    typer.Option(
        "--band", help="Networks hear only the band in which the boxes lie.", rich_help_panel=ANNOTATED
    ),
]
GroupBy = Annotated[
    str,
    typer.Option(help="What must not straddle folds: recording, folder or day.", rich_help_panel=ANNOTATED),
]


#: Parameters that say how a table is read, and those that say how annotated recordings are cut.
_OF_TABLES = (
    "path",
    "group",
    "fold",
    "start",
    "end",
    "row_id",
    "features",
    "label_from",
    "audio_root",
    "label_separator",
)
_OF_CUTTING = ("clip_mode", "window", "hop", "min_overlap", "background", "unannotated", "group_by", "band")


def refuse_idle(context: typer.Context, annotations: Path | None) -> None:
    """Refuse options that would be passed over in silence.

    Raises
    ------
    ConfigError
        Where options of tables are given with annotations, or options of annotations without any.
    """
    from aurist.errors import ConfigError

    idle = _OF_CUTTING if annotations is None else _OF_TABLES
    sources = {name: context.get_parameter_source(name) for name in idle}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if not given:
        return
    options = {param.name: param.opts[0] for param in context.command.params}
    names = ", ".join(options[name] for name in given)
    if annotations is None:
        raise ConfigError(
            f"{names}: only for annotated recordings, whose tables are given with --annotations."
        )
    raise ConfigError(
        f"{names}: not with --annotations, which say themselves where recordings and clips are. Of the options that "
        "say how a table is read only --label counts; --group-by says what must not straddle folds."
    )


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
    label_separator: str | None = None,
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
        label_separator=label_separator,
    )
