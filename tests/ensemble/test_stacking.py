"""A second level: what it is shown, and that it finds nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.crossval import CrossValidationResult, TrainingData, fit_member, unfinished
from aurist.ensemble.stacking import (
    LEAST_INDEPENDENT,
    answers_of,
    beats_constant,
    can_answer,
    independent_clips,
    reason_against,
    second_level,
    with_base_answers,
)
from aurist.fold_files import base_models_of, is_done, load_folds
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.predictions import Predictions
from aurist.splits import assign_folds, cross_splits

FOREST = ModelSpec("ExtraTrees", "forest", {"trees": 60})
ABOVE = ModelSpec("Above", "forest", {"trees": 60}, level=2)
LINEAR = ModelSpec("Linear", "classic", {"kind": "logistic"}, level=2)


def noise(n_groups: int = 150) -> TrainingData:
    """Features and labels that have nothing to do with each other, but in groups of three rows that are the same."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(n_groups), 3)
    features = pd.DataFrame(rng.normal(size=(n_groups, 4))[groups], columns=list("abcd"))
    targets = np.eye(3, dtype=np.int8)[rng.integers(0, 3, n_groups)[groups]]
    folds = assign_folds(targets, groups, 4, seed=0)
    task = Task(("x", "y", "z"), multilabel=False, metric="accuracy")
    ids = np.array([f"row{i}" for i in range(len(groups))], dtype=object)
    examples = Examples(Inputs(features), targets, np.ones(len(groups)))
    return TrainingData(task, examples, ids, groups, folds, cross_splits(folds, targets, groups, seed=0))


def accuracy(result: CrossValidationResult, data: TrainingData) -> float:
    proba = result.oof.aligned(data.clip_ids.tolist())
    return float((proba.argmax(axis=1) == data.examples.targets.argmax(axis=1)).mean())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def below(folder: Path) -> CrossValidationResult:
    return fit_member(folder / FOREST.name, noise(), FOREST, 60.0)


def test_a_second_level_finds_nothing_where_there_is_nothing(
    folder: Path, below: CrossValidationResult
) -> None:
    learn = noise()
    above = second_level(learn, [below])
    assert above is not None
    honest = fit_member(folder / ABOVE.name, above, ABOVE, 60.0)
    # careless: what the first level says of rows that it has learnt from
    forests = load_folds(folder / FOREST.name, learn.task, FOREST)
    met = np.mean([model.predict_proba(learn.examples.inputs) for model in forests], axis=0)
    careless = second_level(
        learn, [replace(below, oof=replace(below.oof, proba=met, clip_id=learn.clip_ids))]
    )
    assert careless is not None
    fooled = fit_member(folder / "Careless", careless, replace(ABOVE, name="Careless"), 60.0)
    assert accuracy(fooled, learn) > 0.9, "what leaks must be seen, or this test shows nothing"
    # 150 groups by chance: 1/3, and a standard error of 0.04
    assert abs(accuracy(honest, learn) - 1 / 3) < 0.12
    assert abs(accuracy(below, learn) - 1 / 3) < 0.12


def sites(prescribed: bool, n: int = 6000, n_sites: int = 6) -> TrainingData:
    """Noise of sites, which are the folds, with class shares of their own."""
    rng = np.random.default_rng(2)
    folds = np.arange(n) % n_sites
    shares = rng.dirichlet(np.ones(3), n_sites)
    targets = np.eye(3, dtype=np.int8)[[rng.choice(3, p=shares[site]) for site in folds]]
    examples = Examples(Inputs(pd.DataFrame(rng.normal(size=(n, 2)))), targets, np.ones(n))
    task = Task(("x", "y", "z"), multilabel=False, metric="accuracy")
    ids = np.arange(n).astype(str).astype(object)
    splits = cross_splits(folds, targets, np.arange(n), seed=0)
    return TrainingData(task, examples, ids, np.arange(n), folds, splits, prescribed=prescribed)


def prior_answers(learn: TrainingData) -> CrossValidationResult:
    """An honest first level where there is nothing to learn: the shares of the other folds."""
    truth, folds = learn.examples.targets, learn.folds
    priors = np.stack([truth[folds != fold].mean(axis=0) for fold in range(folds.max() + 1)])[folds]
    oof = Predictions("Prior", learn.clip_ids, priors, learn.task.classes, folds)
    return CrossValidationResult(ModelSpec("Prior", "classic"), oof, None, 0.0, 0.0)


def test_where_folds_differ_in_their_classes_a_second_level_would_be_believed_wrongly(tmp_path: Path) -> None:
    learn = sites(prescribed=True, n=1200)
    above = second_level(learn, [prior_answers(learn)])
    assert above is not None
    believed = accuracy(fit_member(tmp_path, above, LINEAR, 600.0), learn)
    usual = learn.examples.targets.mean(axis=0).max()
    assert believed > usual + 0.05, "what leaks must be seen, or refusing it shows nothing"
    why = reason_against(learn, LINEAR)
    assert why is not None
    assert "folds came with the data" in why


def test_it_may_be_only_over_many_independent_clips_that_chance_has_divided() -> None:
    learn = sites(prescribed=False)
    assert reason_against(learn, LINEAR) is None
    assert "booster or a linear model" in str(reason_against(learn, ABOVE))
    assert "one label" in str(
        reason_against(replace(learn, task=replace(learn.task, multilabel=True)), LINEAR)
    )
    assert "two folds" in str(reason_against(replace(learn, splits=learn.splits[:1]), LINEAR))
    # one recording of a tenth of the clips is a fold's own mix of classes
    one_large = np.where(np.arange(6000) < 600, 0, learn.groups)
    for groups in (learn.groups // 2, one_large):
        assert "independent" in str(reason_against(replace(learn, groups=groups), LINEAR))
    assert independent_clips(one_large) < 150 < LEAST_INDEPENDENT < independent_clips(learn.groups)


def test_it_may_be_only_where_the_first_level_has_something_to_say() -> None:
    learn = sites(prescribed=False)
    prior = prior_answers(learn)
    assert not beats_constant(learn, prior)
    rng = np.random.default_rng(0)
    random = replace(prior, oof=replace(prior.oof, proba=rng.dirichlet(np.ones(3), 6000)))
    assert not beats_constant(learn, random)
    # it leans to the truth a little, and is far too sure of itself
    truth = learn.examples.targets
    leaning = (truth.mean(axis=0) * np.exp(rng.normal(size=truth.shape) + truth)) ** 3
    leaning /= leaning.sum(axis=1, keepdims=True)
    assert beats_constant(learn, replace(prior, oof=replace(prior.oof, proba=leaning)))


def test_it_sees_features_and_answers_of_the_same_row(below: CrossValidationResult) -> None:
    learn = noise()
    above = second_level(learn, [below])
    assert above is not None
    assert list(above.base_models) == [FOREST.name]
    assert list(above.examples.features.columns[:4]) == list("abcd")
    answers = above.examples.features.iloc[:, 4:].to_numpy()
    np.testing.assert_array_equal(answers, below.oof.aligned(above.clip_ids.tolist()))
    assert [len(split.scored) for split in above.splits] == [len(split.scored) for split in learn.splits]


def test_there_is_no_second_level_over_nothing_or_a_single_fold(below: CrossValidationResult) -> None:
    learn = noise()
    assert second_level(learn, []) is None
    assert second_level(learn, [replace(below, base_models={"another": ""})]) is None
    single = replace(learn, folds=np.where(learn.folds == 0, 0, -1), splits=learn.splits[:1])
    assert second_level(single, [below]) is None


def test_answers_keep_to_their_rows_whatever_the_index() -> None:
    features = pd.DataFrame({"tempo": [90.0, 120.0]}, index=[7, 3])
    shown = with_base_answers(features, {"One": np.array([[0.2, 0.8], [0.6, 0.4]])})
    assert shown.to_numpy().tolist() == [[90.0, 0.2, 0.8], [120.0, 0.6, 0.4]]


def test_it_is_fitted_anew_where_other_things_are_said(tmp_path: Path, below: CrossValidationResult) -> None:
    above = second_level(noise(), [below])
    assert above is not None
    folder = tmp_path / "above"
    result = fit_member(folder, above, ABOVE, 60.0)
    assert result.base_models == base_models_of(folder) == above.base_models
    assert not unfinished(folder, above)
    other = replace(below, member=replace(FOREST, name="Another"))
    changed = replace(below, oof=replace(below.oof, proba=below.oof.proba[:, ::-1].copy()))
    for now in ([below, other], [changed]):
        again = second_level(noise(), now)
        assert again is not None
        assert len(unfinished(folder, again)) == len(again.splits)
    assert is_done(folder, 0)
    assert fit_member(folder, again, ABOVE, 60.0).base_models == again.base_models != above.base_models


def test_it_can_answer_only_where_all_is_as_it_was(below: CrossValidationResult) -> None:
    above = replace(below, member=ABOVE, base_models=answers_of([below]))
    assert can_answer(below, [])
    assert can_answer(above, [below])
    assert not can_answer(above, [])
    assert not can_answer(replace(above, base_models={}), [below]), (
        "a second level that asks nobody is half deleted"
    )
    assert not can_answer(replace(below, base_models=above.base_models), [below])
    changed = replace(below, oof=replace(below.oof, proba=below.oof.proba[:, ::-1].copy()))
    assert not can_answer(above, [changed])
