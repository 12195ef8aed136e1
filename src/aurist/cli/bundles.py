"""Groups of options that several commands share: each is a dataclass, and a command takes it as one parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from aurist.cli import options as opt

if TYPE_CHECKING:
    from aurist.clips import Clips
    from aurist.clips.read import ReadOptions
    from aurist.config import FitConfig

#: The options that name files of annotations; the others of `AnnotatedOptions` say how recordings are cut.
_FILES = ("annotations", "verdicts", "allow_missing")


@dataclass(frozen=True)
class Columns:
    """Columns of a table; the dataclasses below say which of them a command knows."""

    def reading(self) -> ReadOptions:
        """Give the reader's settings."""
        from aurist.clips.read import ReadOptions

        given = asdict(self)
        given["id"] = given.pop("row_id")
        if given.get("features") is not None:
            given["features"] = tuple(name.strip() for name in given["features"].split(","))
        return ReadOptions(**given)


@dataclass(frozen=True)
class NewColumns(Columns):
    """Columns of new data."""

    path: opt.PathColumn = None
    start: opt.Start = None
    end: opt.End = None
    row_id: opt.Id = None
    audio_root: opt.AudioRoot = None


@dataclass(frozen=True)
class LabelledColumns(Columns):
    """Columns of new data with labels."""

    label: opt.Label = None
    group: opt.Group = None
    path: opt.PathColumn = None
    start: opt.Start = None
    end: opt.End = None
    row_id: opt.Id = None
    label_from: opt.LabelFrom = None
    label_separator: opt.LabelSeparator = None
    audio_root: opt.AudioRoot = None


@dataclass(frozen=True)
class TrainingColumns(Columns):
    """Columns of data to learn from."""

    label: opt.Label = None
    group: opt.Group = None
    path: opt.PathColumn = None
    start: opt.Start = None
    end: opt.End = None
    row_id: opt.Id = None
    features: opt.Features = None
    fold: opt.Fold = None
    label_from: opt.LabelFrom = None
    label_separator: opt.LabelSeparator = None
    audio_root: opt.AudioRoot = None


@dataclass(frozen=True)
class AnnotatedOptions:
    """Annotations of recordings, and how recordings are cut into clips."""

    annotations: opt.Annotations = None
    verdicts: opt.Verdicts = None
    clip_mode: opt.ClipMode = "windows"
    window: opt.CutWindow = None
    hop: opt.CutHop = None
    min_overlap: opt.MinOverlap = 0.25
    background: opt.Background = None
    unannotated: opt.Unannotated = "absent"
    group_by: opt.GroupBy = "recording"
    band: opt.Band = False
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Leave out annotations of recordings that are not in the folder.",
            rich_help_panel=opt.ANNOTATED,
        ),
    ] = False

    def source(
        self,
        context: typer.Context,
        data: Path,
        columns: TrainingColumns,
        learning: LearningOptions,
        config: FitConfig | None = None,
    ) -> Path | Clips:
        """Give the data to learn from: as it is, or cut into clips if there are annotations.

        With the settings of a fit, a second window is tried in a part of its time.

        Raises
        ------
        ConfigError
            If options have no effect: of tables with annotations, or of annotations without any.
        DataError
            If annotations cannot be read.
        """
        from aurist.annotations import CutOptions
        from aurist.automl.annotated import read_annotated

        self._refuse_unused(context)
        if not self._are_given:
            return data
        given = {name: value for name, value in asdict(self).items() if name not in _FILES}
        cut = CutOptions(**given, seed=learning.seed)
        read = partial(
            read_annotated,
            data,
            self.annotations,
            label=columns.label,
            verdicts=self.verdicts,
            allow_missing=self.allow_missing,
        )
        if config is None:
            return read(cut)
        from aurist.automl.window_trial import cut_by_better_window

        return cut_by_better_window(read, cut, config, learning.cache_dir)

    @property
    def _are_given(self) -> bool:
        return self.annotations is not None or self.verdicts is not None

    def _refuse_unused(self, context: typer.Context) -> None:
        """Refuse options that would have no effect."""
        from aurist.errors import ConfigError

        unused = TrainingColumns if self._are_given else AnnotatedOptions
        names = [field.name for field in fields(unused) if field.name not in ("label", *_FILES)]
        sources = {name: context.get_parameter_source(name) for name in names}
        given = [
            name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"
        ]
        if not given:
            return
        options = {param.name: param.opts[0] for param in context.command.params}
        listed = ", ".join(options[name] for name in given)
        if not self._are_given:
            raise ConfigError(
                f"{listed}: only for annotated recordings. Give their annotations with --annotations or --verdicts."
            )
        tables = "--verdicts" if self.annotations is None else "--annotations"
        raise ConfigError(
            f"{listed}: not allowed with {tables}, which already name the recordings and the clips. Leave "
            f"{listed} out; --label names the column of the labels, and --group-by the groups that stay in one fold."
        )


@dataclass(frozen=True)
class LearningOptions:
    """Settings of every command that learns."""

    folds: opt.Folds = None
    change: opt.Change = None
    sample_rate: opt.SampleRate = None
    level: opt.Level = "relative"
    seed: opt.Seed = 0
    jobs: opt.Jobs = 0
    cache_dir: opt.CacheDir = None
    fraction: opt.Fraction = None
    near_duplicates: opt.NearDuplicates = True
    allow_loss: opt.AllowLoss = False

    def config(self, metric: str | None) -> FitConfig:
        """Give the settings of a fit; a command adds its own with `dataclasses.replace`."""
        from aurist.config import FitConfig

        given = {name: value for name, value in asdict(self).items() if name not in ("change", "cache_dir")}
        return FitConfig(metric=metric, recipe_settings=tuple(self.change or ()), **given)


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Show Typer the options themselves, where a command takes dataclasses of options.

    Examples
    --------
    >>> def predict(run: str, *, columns: NewColumns, jobs: opt.Jobs = 0) -> None: ...
    >>> list(inspect.signature(spread(predict)).parameters)
    ['run', 'path', 'start', 'end', 'row_id', 'audio_root', 'jobs']
    """
    types = get_type_hints(command, include_extras=True)
    bundles = {
        name: type_ for name, type_ in types.items() if isinstance(type_, type) and is_dataclass(type_)
    }
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name not in bundles:
            parameters.append(parameter.replace(annotation=types[parameter.name]))
            continue
        bundle = bundles[parameter.name]
        of_fields = get_type_hints(bundle, include_extras=True)
        parameters += [
            inspect.Parameter(
                field.name, parameter.kind, default=field.default, annotation=of_fields[field.name]
            )
            for field in fields(bundle)
        ]

    def flat(**given: Any) -> None:
        for name, bundle in bundles.items():
            given[name] = bundle(**{field.name: given.pop(field.name) for field in fields(bundle)})
        command(**given)

    flat.__name__, flat.__doc__ = command.__name__, command.__doc__
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat
