"""Scores by site: the worst is named, folders that cannot be scored are not."""

from __future__ import annotations

import numpy as np

from aurist.models.base import Task
from aurist.results.out_of_fold import OutOfFold
from aurist.results.sites import about_sites


def out_of_fold(paths: list[str], seed: int = 0) -> OutOfFold:
    """All is right at the river and in the wood, and nothing on the road."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((len(paths), 2)) < 0.3).astype(np.int8)
    wrong = np.array([path.startswith("road") for path in paths])[:, None]
    proba = np.where(wrong, rng.random(truth.shape), truth * 0.8 + 0.1)
    n = len(paths)
    return OutOfFold(
        Task(("a", "b"), True, "average_precision"),
        np.arange(n),
        truth,
        np.arange(n),
        np.arange(n) % 5,
        np.ones(n),
        {"Ensemble": proba},
    )


def test_the_worst_site_is_first_and_few_recordings_are_no_site() -> None:
    paths = [f"{site}/{i // 10}.wav" for site in ("river", "road", "wood") for i in range(60)]
    paths += ["once/1.wav"] * 60
    sentence = about_sites(out_of_fold(paths), "Ensemble", paths)
    assert sentence is not None
    assert "worst first: average_precision road 0." in sentence and "river 1.000, wood 1.000." in sentence
    assert "once" not in sentence


def test_one_folder_has_no_sites() -> None:
    paths = [f"{i // 10}.wav" for i in range(60)]
    assert about_sites(out_of_fold(paths), "Ensemble", paths) is None
    assert about_sites(out_of_fold([*paths]), "Ensemble", [None] * 60) is None
