"""What a run says of how sure its scores are."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips.read import ReadOptions
from aurist.config import FitConfig
from aurist.results.cautions import about_best, about_few_groups, trials_like
from aurist.run import RunFolder
from aurist.run.scores_file import Best, Trials

from ..command import aurist as command
from ..small_run import HUNDRED

PLAN = f"""
{HUNDRED}
[[member]]
name = "LDA"
engine = "classic"
settings = {{ kind = "lda" }}
[[member]]
name = "Kernel"
engine = "kernel"
"""
pytestmark = pytest.mark.usefixtures("hundred_trees")


def fitted(folder: Path, table: pd.DataFrame, plan: str, **reading: str) -> RunFolder:
    (folder / "plan.toml").write_text(plan, encoding="utf-8")
    config = FitConfig(plan=str(folder / "plan.toml"), folds=3, jobs=1)
    return fit(table, folder / "run", config, options=ReadOptions(label="label", **reading))


@pytest.fixture(scope="module")
def few(hundred_trees: None, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Three classes in 2, 4 and 7 recordings of noise."""
    label = np.repeat(["dog", "cat", "owl"], [12, 24, 42])
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(78, 4)), columns=list("abcd"))
    table = table.assign(label=label, recording=np.arange(78) // 6)
    return fitted(tmp_path_factory.mktemp("few"), table, PLAN, group="recording")


def test_few_groups_are_said_where_scores_are_said(few: RunFolder) -> None:
    assert few.scores().few_groups == {"dog": 2, "cat": 4}
    sentence = "2 of 3 classes are in fewer than 5 groups (dog in 2, cat in 4)"
    assert sentence in " ".join(few.scores().cautions)
    assert sentence in " ".join(command("leaderboard", few.folder).stdout.split())
    second = (
        "In 35 trial divisions of data with 2 groups in every class, the stated accuracy was 0.19 (± 0.06) lower than "
        "the accuracy on new groups. In this data only the rarest class has so few groups, so the difference is likely "
        "smaller."
    )
    assert few.scores().few_groups_trials == (Trials(2, 35, -0.19, 0.059),)
    cautions = list(few.scores().cautions)
    assert cautions[cautions.index(second) - 1].startswith("Few groups: ")
    assert second in " ".join(command("leaderboard", few.folder).stdout.split())
    command("report", few.folder)
    for line in (sentence, second):
        assert line in (few.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("few", "metric", "n_classes", "second"),
    [
        ({"a": 3, "b": 3}, "accuracy", 2, r"In 63 .* with 3 groups .* 0\.10 \(± 0\.03\) lower .* new groups\.$"),
        ({"a": 2, "b": 2}, "f1_macro", 2, r"In 35 .* with 2 groups .* 0\.19 \(± 0\.06\) lower .* new groups\.$"),
        ({"a": 4, "b": 4}, "balanced_accuracy", 2,
         r"with 3 and 5 groups .* 0\.10 \(± 0\.03\) and 0\.01 \(± 0\.03\) lower.* with 4 groups .* between the two\.$"),
        ({"a": 3, "b": 4}, "accuracy", 2, "the difference is likely smaller"),
        ({"a": 3}, "accuracy", 2, "the difference is likely smaller"),
    ],
)  # fmt: skip
def test_few_groups_have_a_second_line_of_what_trials_gave(few, metric, n_classes, second) -> None:
    first, line = about_few_groups(few, n_classes, trials_like(few, metric, multilabel=False))
    assert "in trials" not in first
    assert re.search(second, line)


@pytest.mark.parametrize(
    ("few", "metric", "multilabel"),
    [
        ({"a": 3}, "log_loss", False),
        ({"a": 3}, "roc_auc", False),
        ({"a": 3}, "f1_macro", True),
        ({"a": 1}, "accuracy", False),
    ],
)
def test_what_was_not_tried_has_no_second_line(few, metric, multilabel) -> None:
    (only,) = about_few_groups(few, 2, trials_like(few, metric, multilabel=multilabel))
    assert "(by 0.1 to 0.2 in trials with 2 or 3 groups per class)" in only


def test_the_row_that_predicts_stands_first_and_is_marked(few: RunFolder) -> None:
    lines = command("leaderboard", few.folder).stdout.splitlines()
    first_words = [line.split()[0] for line in lines if line.strip()]
    rows = [word for word in first_words if word in set(few.leaderboard()["model"])]
    assert rows[0] == "Ensemble" and any(line.startswith("Ensemble (predicts)") for line in lines)
    best = few.scores().best_other
    assert best.model == rows[1] and best.models == 3 and best.optimism >= 0
    assert few.leaderboard().iloc[1:]["score"].is_monotonic_decreasing


def test_noise_in_folds_of_differing_shares_is_no_leak(tmp_path: Path) -> None:
    """A random split claims more, as it has the same shares on both sides: nothing stands on both that leaks."""
    rng = np.random.default_rng(0)
    label = np.concatenate([rng.permutation(["a"] * n + ["b"] * (200 - n)) for n in (180, 20)])
    table = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("wxyz"))
    run = fitted(tmp_path, table.assign(label=label, site=np.arange(400) // 200), HUNDRED, fold="site")
    careless = run.scores().random_split
    assert careless.random.score > careless.honest.high
    assert not careless.leak and careless.by_shares > 0.1
    shown = command("leaderboard", run.folder).stdout
    assert "is a leak" not in shown and "no sign of a leak" in shown
    command("report", run.folder)
    assert "is a leak" not in (run.folder / "report.html").read_text(encoding="utf-8")


def test_copies_across_folds_of_differing_shares_are_a_leak(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = np.concatenate([rng.permutation(["a"] * n + ["b"] * (40 - n)) for n in (36, 4)])
    clips = np.repeat(rng.normal(size=(80, 4)), 5, axis=0) + rng.normal(scale=0.02, size=(400, 4))
    table = pd.DataFrame(clips, columns=list("wxyz")).assign(label=np.repeat(label, 5))
    run = fitted(tmp_path, table.assign(site=np.arange(400) // 200), HUNDRED, fold="site")
    assert run.scores().random_split.leak


def test_an_excess_that_cannot_be_computed_is_said() -> None:
    assert "0.612 is too high by an unknown amount." in about_best(Best("LightGBM", 0.612, 6, math.nan))
