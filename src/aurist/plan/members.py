"""The models of each preset, in order of expected gain per time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aurist.config import INSTANT, FitConfig
from aurist.models.base import ModelSpec
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.views import FEATURES, VIEW

#: The most folds of the preset "instant"; see `n_splits`.
MOST_INSTANT_SPLITS = 10
DEFAULT_SPLITS = {"instant": 5, "quick": 3, "good": 5, "best": 8}

FOREST = ModelSpec("ExtraTrees", "forest")
#: Ends within seconds on any table: fitted if the first model of a plan would take too long.
FALLBACK = ModelSpec("Ridge", "classic", {"kind": "ridge"})

#: The engine that fits a predictor for each label of a clip.
GLUON = "autogluon"
#: The blended rows of the leaderboard: our ensemble, which predicts, and AutoGluon's.
ENSEMBLE, GLUON_ENSEMBLE = "Ensemble", "AutoGluonEnsemble"


def _gluon(name: str, kind: str, refit: bool = True, /, **settings: float | bool | str) -> ModelSpec:
    return ModelSpec(name, GLUON, {"kind": kind, "refit": refit, **settings})


_GBM = _gluon("LightGBM", "GBM")
_GBM_QUICK = _gluon("LightGBM", "GBM", False, learning_rate=0.1)
_GBM_XT = _gluon("LightGBMXT", "GBM", extra_trees=True)
_GBM_LARGE = _gluon(
    "LightGBMLarge", "GBM", learning_rate=0.03, num_leaves=128, feature_fraction=0.9, min_data_in_leaf=3
)
_CAT = _gluon("CatBoost", "CAT")
_XGB = _gluon("XGBoost", "XGB")
_RF = _gluon("RandomForest", "RF")
_NET = replace(_gluon("NeuralNet", "NN_TORCH"), seconds_per_row=0.01)
_TABM = replace(_gluon("TabM", "TABM"), seconds_per_row=0.03)
SECOND_LEVEL = replace(
    _gluon("LightGBM_L2", "GBM", extra_trees=True, num_leaves=15, feature_fraction=0.3, min_data_in_leaf=40),
    level=2,
)

_SVM = ModelSpec("SVM", "classic", {"kind": "svm"})
_LDA = ModelSpec("LDA", "classic", {"kind": "lda"})
_LOGISTIC = ModelSpec("Logistic", "classic", {"kind": "logistic"})
_KERNEL = ModelSpec("KernelRidge", "kernel", seconds_per_row=0.0012)
#: With more rows SVM and LDA take too long for their gain. With several labels per clip they would be fitted for each
#: label.
CLASSIC_ROWS = 5000
#: With fewer rows a stacked model learns nothing that generalises (docs/decisions/0014). With more classes it is slow:
#: its seconds per row grow with the square of the classes.
STACKED_ROWS, STACKED_CLASSES, _STACKED_SECONDS = 5000, 50, 2e-6
#: With fewer rows of many features boosting is slow and helps little.
FEW_ROWS = 2000

PRESETS: dict[str, list[ModelSpec]] = {
    INSTANT: [_KERNEL, _LOGISTIC, FALLBACK],
    "quick": [FOREST, _GBM_QUICK],
    "good": [FOREST, _LOGISTIC, _KERNEL, _SVM, _LDA, _GBM_XT, _RF, _XGB, _CAT, _GBM],
    "best": [FOREST, _LOGISTIC, _KERNEL, _SVM, _LDA, _GBM_XT, _XGB, _CAT, _RF, _GBM, _NET, _TABM, _GBM_LARGE],
}


def table_members(
    config: FitConfig, n_rows: int = 0, *, multilabel: bool = False, embedded: Sequence[str] = ()
) -> list[ModelSpec]:
    """Return the models of features, the cheapest and most reliable first; none for the engine "networks".

    With embeddings, by the networks ``embedded``, the linear and the kernel model also see each view alone.
    """
    if config.engine == "networks":
        return []
    mljar = ModelSpec("mljar", "mljar", {"preset": config.preset})
    if config.engine == "mljar":
        return [FOREST, mljar]
    chosen = PRESETS[config.preset]
    if multilabel or n_rows > CLASSIC_ROWS:
        chosen = [member for member in chosen if member not in (_SVM, _LDA)]
    if embedded:
        chosen = _with_views(chosen, embedded)
        if config.preset == INSTANT:  # on all columns together it takes as long as all others
            chosen = [member for member in chosen if member != _LOGISTIC]
    return [*chosen, mljar] if config.engine == "all" else chosen


def _with_views(members: Sequence[ModelSpec], embedded: Sequence[str]) -> list[ModelSpec]:
    """Add the linear and the kernel model on each view. Kernel ridge on embeddings gains most per time: it is first."""
    first = [*(_in_view(_KERNEL, view) for view in embedded), _KERNEL]
    linear = [
        _LOGISTIC,
        *(_in_view(_LOGISTIC, view) for view in (*embedded, FEATURES)),
        _in_view(_KERNEL, FEATURES),
    ]
    others = [member for member in members if member not in (_LOGISTIC, _KERNEL)]
    return [*first, *others[:1], *linear, *others[1:]]


def _in_view(member: ModelSpec, view: str) -> ModelSpec:
    return replace(member, name=f"{member.name}_{view}", settings={**member.settings, VIEW: view})


def second_level_members(
    config: FitConfig, n_rows: int, n_classes: int, *, multilabel: bool = False
) -> list[ModelSpec]:
    """Return the stacked models, if there are enough rows and no limit to the size of the ensemble."""
    enabled = config.engine not in ("networks", "mljar") and config.preset not in (INSTANT, "quick")
    is_useful = n_rows >= STACKED_ROWS and n_classes <= STACKED_CLASSES and not multilabel
    if not enabled or not is_useful or config.ensemble_size is not None:
        return []
    return [replace(SECOND_LEVEL, seconds_per_row=_STACKED_SECONDS * n_classes**2)]


def pseudo_label_learners(members: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Return the models that also learn from pseudo-labels: they take weights, and are quick or good."""
    return [member for member in members if member.engine == NETWORK or member in (FOREST, _GBM_QUICK, _GBM)]


def is_slow(member: ModelSpec, n_rows: int, *, multilabel: bool = False) -> bool:
    """Return True for models that are slow for what they gain: a network is fitted before them.

    On data of some hundred clips boosted trees took ten times as long as SVMs, scored 2 to 30 points less, and had
    almost no weight in the ensemble. With several labels per clip AutoGluon fits a predictor for each label.
    """
    is_of_each_label = multilabel and member.engine == GLUON
    return is_of_each_label or (n_rows < FEW_ROWS and member in (_GBM, _GBM_LARGE, _XGB, _CAT, _NET, _TABM))


def n_splits(config: FitConfig, fewest: int | None = None) -> int:
    """Return the number of folds to make if the data has none.

    ``fewest`` is the number of groups of the rarest class. Models of few clips expect a class less if more of it is in
    the fold that is left out, so "instant" makes folds that score one group of each class (docs/decisions/0031).

    Examples
    --------
    >>> n_splits(FitConfig()), n_splits(FitConfig(preset="instant"), 7), n_splits(FitConfig(preset="instant"), 40)
    (5, 7, 10)
    """
    if config.folds is not None:
        return config.folds
    usual = DEFAULT_SPLITS[config.preset]
    if config.preset != INSTANT or fewest is None:
        return usual
    return min(max(fewest, usual), MOST_INSTANT_SPLITS)
