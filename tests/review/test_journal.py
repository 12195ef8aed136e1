"""Verdicts in a journal, and the precision that they tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aurist.errors import ConfigError
from aurist.review.journal import JOURNAL, Verdict, VerdictJournal, annotations_of, key_of
from aurist.review.orders import Candidates, bins_of, precision_of, random_sample


def verdict(key: str, word: str, *labels: str) -> Verdict:
    return Verdict(key, "night.wav", 1.0, 2.0, "wren", 0.8, word, labels)


def test_the_last_verdict_holds_and_survives_a_kill(tmp_path: Path) -> None:
    journal = VerdictJournal(tmp_path)
    for key, word in (("a", "yes"), ("b", "no"), ("a", "no"), ("b", "")):
        journal.put(verdict(key, word))
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"key": "c", "recor')  # the power failed
    again = VerdictJournal(tmp_path)
    assert {key: one.verdict for key, one in again.current().items()} == {"a": "no"}
    assert [(one.key, one.revision) for one in again.since(2)] == [("a", 3), ("b", 4)]
    assert again.put(verdict("c", "?")).revision == 5
    assert set(VerdictJournal(tmp_path).current()) == {"a", "c"}


def test_what_a_later_version_writes_beside_it_is_passed_over(tmp_path: Path) -> None:
    VerdictJournal(tmp_path).put(verdict("a", "yes"))
    line = (tmp_path / JOURNAL).read_text()
    (tmp_path / JOURNAL).write_text(line.replace('"key"', '"colour": "red", "key"'))
    assert VerdictJournal(tmp_path).current()["a"].verdict == "yes"


def test_annotations() -> None:
    verdicts = [
        verdict("a", "yes"),
        verdict("b", "no"),
        verdict("c", "?"),
        verdict("d", "other", "wren", "owl"),
        verdict("e", "other", "robin"),
    ]
    table = annotations_of(verdicts).table
    assert sorted(zip(table["label"], table["state"], strict=True)) == [
        ("owl", "present"),
        ("robin", "present"),
        ("wren", "absent"),
        ("wren", "absent"),
        ("wren", "present"),
        ("wren", "present"),
    ]


def test_a_yes_is_about_the_surest_part() -> None:
    long = replace(verdict("a", "yes"), end=30.0, surest_start=20.0, surest_end=21.0)
    table = annotations_of([long, replace(long, key="b", verdict="no")]).table
    assert table[["start", "end", "state"]].to_numpy().tolist() == [
        [20.0, 21.0, "present"],
        [1.0, 30.0, "absent"],
    ]


def candidates(n: int = 400, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    labels = rng.choice(["wren", "owl"], n).tolist()
    keys = [key_of("night.wav", float(row), row + 1.0, label) for row, label in enumerate(labels)]
    return Candidates(keys, labels, rng.uniform(0.4, 1.0, n), np.full(n, 0.5))


def test_orders() -> None:
    every = candidates()
    above = np.flatnonzero(every.scores >= 0.5)
    by_score = every.in_order("score")
    assert sorted(by_score) == above.tolist() and (np.diff(every.scores[by_score]) <= 0).all()
    near = every.in_order("uncertainty")
    assert len(near) == 400 and (np.diff(np.abs(every.scores[near] - 0.5)) > -1e-8).all()
    at_random = every.in_order("random")
    assert sorted(at_random) == above.tolist()
    wrens = every.in_order("random", "wren")
    assert [row for row in at_random if every.labels[row] == "wren"] == wrens.tolist()
    with pytest.raises(ConfigError, match="order"):
        every.in_order("alphabet")


def test_the_sample_is_the_head_of_the_random_order() -> None:
    every = candidates()
    order = every.in_order("random")
    verdicts = {every.keys[row]: verdict(every.keys[row], "yes") for row in order[:30]}
    # a person also judged the highest scores: they do not count before the random order comes to them
    for row in every.in_order("score")[:50]:
        verdicts[every.keys[row]] = verdict(every.keys[row], "yes")
    sample = random_sample(every, verdicts)
    assert sample[:30].tolist() == order[:30].tolist()
    end = len(sample)
    assert every.keys[order[end]] not in verdicts
    assert end < 40


def test_the_precision_is_not_biased_by_what_was_judged_before() -> None:
    truth = np.random.default_rng(5)
    shares = []
    for seed in range(200):
        every = candidates(200, seed)
        # the higher the score, the likelier it is right: 0.75 in the mean
        right = truth.uniform(size=200) < every.scores
        judged = {*every.in_order("score")[:40].tolist(), *every.in_order("random")[:40].tolist()}
        verdicts = {
            every.keys[row]: verdict(every.keys[row], "yes" if right[row] else "no") for row in judged
        }
        measured = precision_of(every, verdicts, random_sample(every, verdicts))
        shares.append(measured.precision)
        assert measured.low <= measured.precision <= measured.high
    assert np.mean(shares) == pytest.approx(0.75, abs=0.012)


def test_what_could_not_be_told_is_left_out() -> None:
    every = Candidates(["a", "b", "c"], ["wren"] * 3, np.array([0.9, 0.8, 0.7]), np.full(3, 0.5))
    verdicts = {"a": verdict("a", "yes"), "b": verdict("b", "?"), "c": verdict("c", "other", "owl")}
    measured = precision_of(every, verdicts, random_sample(every, verdicts))
    assert (measured.judged, measured.right, measured.unsure, measured.precision) == (2, 1, 1, 0.5)
    nothing = precision_of(every, {}, random_sample(every, {}))
    assert (
        nothing.judged == 0
        and np.isnan(nothing.precision)
        and (nothing.low, nothing.high) == pytest.approx((0, 1))
    )


def test_bins_cover_all_scores() -> None:
    every = candidates()
    edges = bins_of(every, every.in_order("score"))
    assert (
        len(edges) == 5
        and edges[0][0] == pytest.approx(0.5, abs=0.01)
        and edges[-1][1] == pytest.approx(1, abs=0.01)
    )
    same = Candidates(["a", "b"], ["wren"] * 2, np.array([0.9, 0.9]), np.full(2, 0.5))
    assert bins_of(same, np.arange(2)) == [(0.9, 0.9)]
    assert bins_of(same, np.arange(0)) == []
