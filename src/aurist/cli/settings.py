"""Turn options of the command line into settings of the library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from aurist.clips.read import ReadOptions

#: Parameters of reading a table, and of cutting annotated recordings.
_TABLE_OPTIONS = (
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
_ANNOTATION_OPTIONS = (
    "clip_mode",
    "window",
    "hop",
    "min_overlap",
    "background",
    "unannotated",
    "group_by",
    "band",
)


def refuse_unused_options(context: typer.Context, annotations: Path | None) -> None:
    """Refuse options that would have no effect.

    Raises
    ------
    ConfigError
        If options of tables are given with annotations, or options of annotations without any.
    """
    from aurist.errors import ConfigError

    unused = _ANNOTATION_OPTIONS if annotations is None else _TABLE_OPTIONS
    sources = {name: context.get_parameter_source(name) for name in unused}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if not given:
        return
    options = {param.name: param.opts[0] for param in context.command.params}
    names = ", ".join(options[name] for name in given)
    if annotations is None:
        raise ConfigError(
            f"{names}: only for annotated recordings. Give their annotations with --annotations."
        )
    raise ConfigError(
        f"{names}: not allowed with --annotations, which already name the recordings and the clips. Leave {names} out; "
        "--label names the column of the labels, and --group-by the groups that stay in one fold."
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
    """Make the reader's settings from the command line's."""
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
