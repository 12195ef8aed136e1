"""Fit a run to data: `fit`, and `resume` after an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aurist.api.inputs import Data, labelled
from aurist.api.messages import errors_in_python
from aurist.api.reading import read_options
from aurist.api.run import Run
from aurist.config import FitConfig, parse_duration


def fit(
    data: Data,
    output: str | Path,
    *,
    label: str | None = None,
    group: str | None = None,
    fold: str | None = None,
    metric: str | None = None,
    preset: str = "good",
    time_limit: float | str | None = None,
    plan: str | Path | None = None,
    seed: int = 0,
    jobs: int = 0,
    test: Data | None = None,
    folds: int | None = None,
    engine: str = "auto",
    recipes: Sequence[str | Path] = (),
    recipe_settings: Sequence[str] = (),
    embeddings: Sequence[str | Path] | None = None,
    accept_licence: Sequence[str] = (),
    ensemble_size: int | None = None,
    unlabelled: str | Path | None = None,
    pseudo_rounds: int = 1,
    pseudo_threshold: float = 0.9,
    mix_background: int = 2,
    path: str | None = None,
    start: str | None = None,
    end: str | None = None,
    id: str | None = None,
    features: Sequence[str] | str | None = None,
    label_from: str | None = None,
    audio_root: str | Path | None = None,
    label_separator: str | None = None,
    sample_rate: int | None = None,
    level: str = "relative",
    fraction: float | None = None,
    allow_loss: bool = False,
    near_duplicates: bool = True,
    cache_dir: str | Path | None = None,
    cluster: str | None = None,
) -> Run:
    """Learn to recognise sounds from labelled recordings, or from a table of features.

    Parameters
    ----------
    data
        The path of a folder of recordings or of a table (CSV, TSV, Parquet, ARFF), a DataFrame, or clips, such
        as `aurist.read_annotated` gives.
    output
        The run folder to make.
    label, group, fold
        Columns of the labels, of what must not be divided (recording, artist, site), and of given folds. None: guessed,
        and the guess is logged; "none": there is no such column.
    metric
        Score to maximise, such as "accuracy", "f1_macro" or "lwlrap". None: accuracy, or with several labels a clip
        average precision.
    preset
        "instant" (linear and kernel models, seconds for a few hundred clips), "quick" (about a minute), "good" (10
        minutes) or "best" (an hour).
    time_limit
        Wall time in seconds, or as text: "90s", "10m", "1h30m". None: by preset.
    plan
        A plan to follow to its end instead, as a TOML file; it has no time limit.
    seed
        Of folds, models and intervals.
    jobs
        Cores to use; 0: all.
    test
        Unlabelled data that will be predicted: the score to expect on it is estimated.
    folds
        Number of folds to make where the data has none. None: by preset.
    engine
        "auto", "autogluon", "mljar", "all" or "networks".
    recipes, recipe_settings
        Networks to train, by name or TOML file, and changes to them: ``["training.epochs=5"]``.
    embeddings
        Embedders, pretrained networks that make further features of recordings: names of `aurist embedders`, or TOML
        files. None: those of this machine that their licences and the time allow; (): none.
    accept_licence
        Embedders whose licences, which forbid commercial use, you accept: once for this machine.
    ensemble_size
        Most models in the ensemble; None: as many as help.
    unlabelled, pseudo_rounds, pseudo_threshold
        Folder or table of clips without labels to learn from as well, the number of rounds, and the probability from
        which a prediction is taken for a label.
    mix_background
        Mixtures of each annotated clip that has a call with background of other recordings to learn from: of recordings
        without a call, or of gaps between calls if there are none; 0: none.
    path, start, end, id, features
        Further columns of a table: audio files ("none": the rows are features), where a clip begins and ends in its
        file, ids, and features (``*`` for any letters). None: guessed.
    label_from
        Pattern of file names that labels and groups are read from: "{label}_{group}_{n}".
    audio_root
        Folder that paths in a table are relative to; None: the table's.
    label_separator
        Mark between several labels of a cell; "none": each cell is one label. None: guessed.
    sample_rate
        Of the features that are computed of recordings, in Hz; None: 22050.
    level
        "relative": the recorder's gain decides nothing; "keep": features say at which level a clip was recorded.
    fraction
        Share of the groups to learn from, for trials, such as 0.1.
    allow_loss
        Go on even where over a tenth of the clips, or all of a class, are broken.
    near_duplicates
        Keep near duplicates (re-encoded, cut, at another level) in one group.
    cache_dir
        Folder of features and decoded audio; None: ``$AURIST_CACHE_DIR`` or the system's folder for caches.
    cluster
        Address of a Ray cluster that computes the vectors of embedders and fits the folds, such as "ray://head:10001".
        Its machines share the folders named here, at the same paths.

    Returns
    -------
    Run
        Predicts, evaluates, and gives its leaderboard and report.

    Raises
    ------
    DataError, ConfigError
        If the data or the settings cannot be used: all bad rows are named.
    RunError
        If ``output`` holds a run already, or no model could be fitted in the time.

    Examples
    --------
    >>> import aurist
    >>> run = aurist.fit("songs.csv", "songs_run", label="genre", plan="plan.toml")
    >>> run.classes
    ('folk', 'rock')
    """
    from aurist.automl.fit import fit as fit_folder
    from aurist.embedders import accept_licence as accept
    from aurist.embedders import find_embedder

    with errors_in_python():
        for name in accept_licence:
            accept(find_embedder(name).spec)
        config = FitConfig(
            metric=metric,
            preset=preset,
            time_limit=_seconds(time_limit),
            engine=engine,
            folds=folds,
            seed=seed,
            jobs=jobs,
            allow_loss=allow_loss,
            sample_rate=sample_rate,
            level=level,
            recipes=tuple(map(str, recipes)),
            recipe_settings=tuple(recipe_settings),
            embeddings=None if embeddings is None else tuple(map(str, embeddings)),
            ensemble_size=ensemble_size,
            plan=None if plan is None else str(plan),
            unlabelled=None if unlabelled is None else str(unlabelled),
            pseudo_rounds=pseudo_rounds,
            pseudo_threshold=pseudo_threshold,
            mix_background=mix_background,
            fraction=fraction,
            near_duplicates=near_duplicates,
        )
        options = read_options(
            label, path, group, fold, start, end, id, features, label_from, audio_root, label_separator
        )
        folder = fit_folder(
            labelled(data, "data"),
            Path(output),
            config,
            options=options,
            test=None if test is None else labelled(test, "test"),
            cache_dir=None if cache_dir is None else Path(cache_dir),
            cluster=cluster,
        )
    return Run(folder.folder)


def resume(folder: str | Path, *, cluster: str | None = None) -> Run:
    """Continue a fit that was interrupted; finished folds are not fitted again.

    Stacked models are refitted if their base models changed. The time limit counts what had been used. ``cluster`` is
    as in `fit`.

    Raises
    ------
    RunError
        If there is no run in the folder.

    Examples
    --------
    >>> import aurist
    >>> aurist.resume("run").classes
    ('drone', 'whistle')
    """
    from aurist.automl.fit import resume as resume_folder

    with errors_in_python():
        return Run(resume_folder(Path(folder), cluster=cluster).folder)


def _seconds(time_limit: float | str | None) -> float | None:
    return parse_duration(time_limit) if isinstance(time_limit, str) else time_limit
