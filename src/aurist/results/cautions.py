"""Write cautions about a run's scores: sentences for the terminal, the report and ``scores.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aurist.embedders import EmbedderSpec
from aurist.plan import ENSEMBLE
from aurist.run.scores_file import Best, Trials, TunedMember

#: Scores of classes with fewer groups than this were clearly too low in trials (docs/decisions/0018).
FEW_GROUPS = 5
#: Number of classes that are named in a sentence.
_NAMED = 5


#: Source: `benchmarks/few_groups.py`, 308 divisions; the table of docs/decisions/0018.
STATED_MINUS_ACTUAL = (
    Trials(2, 35, -0.190, 0.059),
    Trials(3, 63, -0.097, 0.030),
    Trials(5, 63, -0.010, 0.027),
)
#: Metrics similar to accuracy, by which the trials were scored.
LIKE_ACCURACY = ("accuracy", "balanced_accuracy", "f1_macro")


def few_groups(
    truth: npt.NDArray[np.int8], groups: npt.NDArray[np.int64], classes: Sequence[str]
) -> dict[str, int]:
    """Count the groups of each class with fewer than `FEW_GROUPS` groups; the rarest class first.

    Examples
    --------
    >>> truth = np.eye(2, dtype=np.int8)[[0, 0, 0, 1, 1, 1, 1, 1]]
    >>> few_groups(truth, np.array([0, 0, 1, 2, 3, 4, 5, 6]), ["cat", "dog"])
    {'cat': 2}
    """
    counts = {name: len(np.unique(groups[truth[:, column] == 1])) for column, name in enumerate(classes)}
    few = {name: count for name, count in counts.items() if count < FEW_GROUPS}
    return dict(sorted(few.items(), key=lambda item: item[1]))


def trials_like(few: Mapping[str, int], metric: str, *, multilabel: bool) -> tuple[Trials, ...]:
    """Select the trials with the rarest class's number of groups, or the next numbers; none for other metrics.

    Examples
    --------
    >>> [trials.groups for trials in trials_like({"cat": 4}, "f1_macro", multilabel=False)]
    [3, 5]
    >>> trials_like({"cat": 2}, "log_loss", multilabel=False)
    ()
    """
    least = min(few.values())
    if multilabel or metric not in LIKE_ACCURACY or least < STATED_MINUS_ACTUAL[0].groups:
        return ()
    exact = tuple(trials for trials in STATED_MINUS_ACTUAL if trials.groups == least)
    return exact or tuple(trials for trials in STATED_MINUS_ACTUAL if abs(trials.groups - least) == 1)


def about_few_groups(few: Mapping[str, int], n_classes: int, trials: Sequence[Trials] = ()) -> list[str]:
    """Name the classes with few groups, and state the effect that similar trials measured.

    Examples
    --------
    >>> about_few_groups({"cat": 2}, 3)
    ['Few groups: 1 of 3 classes is in fewer than 5 groups (cat in 2). The score is likely too low (by 0.1 to \
0.2 in trials with 2 or 3 groups per class), and its interval is wide: record more of it, from other recordings, \
sites or days.']
    >>> about_few_groups({"cat": 3, "dog": 3}, 2, STATED_MINUS_ACTUAL[1:2])[1]
    'In 63 trial divisions of data with 3 groups in every class, the stated accuracy was 0.10 (± 0.03) lower than the \
accuracy on new groups.'
    """
    named = [f"{name} in {count}" for name, count in list(few.items())[:_NAMED]]
    more = f", {len(few) - _NAMED} more" if len(few) > _NAMED else ""
    verb, it = ("is", "it") if len(few) == 1 else ("are", "them")
    in_trials = "" if trials else " (by 0.1 to 0.2 in trials with 2 or 3 groups per class)"
    first = (
        f"Few groups: {len(few)} of {n_classes} classes {verb} in fewer than {FEW_GROUPS} groups "
        f"({', '.join(named)}{more}). The score is likely too low{in_trials}, and its interval is wide: record more "
        f"of {it}, from other recordings, sites or days."
    )
    if not trials:
        return [first]
    second = (
        f"In {' and '.join(str(trial.divisions) for trial in trials)} trial divisions of data with "
        f"{' and '.join(str(trial.groups) for trial in trials)} groups in every class, the stated accuracy was "
        f"{' and '.join(trial.lower() for trial in trials)} lower than the accuracy on new groups"
    )
    least = min(few.values())
    if len(trials) > 1:
        second += f"; with {least} groups it is likely between the two"
    if len(few) < n_classes or max(few.values()) > least:
        second += (
            ". In this data only the rarest class has so few groups, so the difference is likely smaller"
        )
    return [first, f"{second}."]


def about_tuned(tuned: TunedMember) -> str:
    """State that the settings of a member were chosen on the scored clips.

    Examples
    --------
    >>> about_tuned(TunedMember("cnn-tuned", 30, "accuracy", 0.81234, 0.8))
    'Tuned on these clips: the settings of cnn-tuned were the best of 30 trials (accuracy 0.812) on about 80% of the \
clips that are scored here. Its score and that of Ensemble are too good by an unknown amount. Report the score that \
`aurist tune` found on clips that no trial saw, or score new clips with `aurist evaluate`.'
    """
    share = "the" if tuned.share > 0.995 else f"about {tuned.share:.0%} of the"
    return (
        f"Tuned on these clips: the settings of {tuned.model} were the best of {tuned.trials:,} trials "
        f"({tuned.metric} {tuned.score:.3f}) on {share} clips that are scored here. Its score and that of "
        f"{ENSEMBLE} are too good by an unknown amount. Report the score that `aurist tune` found on clips that no "
        "trial saw, or score new clips with `aurist evaluate`."
    )


def about_embedder(spec: EmbedderSpec) -> str:
    """State the training data of a pretrained network, which may hold scored clips, and its licence.

    Examples
    --------
    >>> about_embedder(EmbedderSpec(name="yamnet", file="y.onnx", sample_rate=16000, seconds=1.0,
    ...     trained_on=("AudioSet",), overlaps=("ESC-50",), licence="Apache-2.0"))
    'Pretrained: yamnet learnt from AudioSet. If your recordings come from there, or from a set that shares recordings \
with it (such as ESC-50), scores are too good by an unknown amount. Its licence: Apache-2.0.'
    """
    learnt = f"learnt from {', '.join(spec.trained_on)}" if spec.trained_on else "learnt from unstated data"
    sharing = (
        f", or from a set that shares recordings with it (such as {', '.join(spec.overlaps)})"
        if spec.overlaps
        else ""
    )
    licence = (
        f" Its licence: {spec.licence}{'' if spec.commercial else '; no commercial use'}."
        if spec.licence
        else ""
    )
    return (
        f"Pretrained: {spec.name} {learnt}. If your recordings come from there{sharing}, scores are too good by an "
        f"unknown amount.{licence}"
    )


def about_best(best: Best) -> str:
    """State that the best of the other rows is also the luckiest.

    Examples
    --------
    >>> about_best(Best("LightGBM", 0.612, 6, 0.0341))
    'LightGBM is the best of the other 6 rows, partly by luck: it was picked by its score, so its 0.612 is too high by \
about 0.034. Ensemble was not picked by its score.'
    """
    excess = f"about {best.optimism:.3f}" if math.isfinite(best.optimism) else "an unknown amount"
    return (
        f"{best.model} is the best of the other {best.models} rows, partly by luck: it was picked by its score, so its "
        f"{best.score:.3f} is too high by {excess}. {ENSEMBLE} was not picked by its score."
    )
