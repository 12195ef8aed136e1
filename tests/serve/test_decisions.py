"""Decisions about training clips: several about one clip, taken back, and left out."""

from __future__ import annotations

from pathlib import Path

from aurist.serve.decisions import Decisions


def test_decisions_about_one_clip_are_joined(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path)
    decisions.decide("1", "a", ["labels", "dog", "cat"], ["dog"])  # a cat is there, too
    decisions.decide("2", "a", ["labels"], ["dog"])  # and no dog
    decisions.decide("3", "a", ["labels", "dog", "cow"], ["dog"])
    decisions.decide("4", "b", ["labels", "cat"], ["dog"])
    decisions.decide("5", "c", ["leave out"])
    decisions.decide("6", "d", ["keep"])
    corrections = Decisions(tmp_path).corrections()
    assert corrections.labels == {"a": ["cat", "cow"], "b": ["cat"]} and corrections.left_out == ["c"]
    decisions.decide("2", "a", [""])
    assert decisions.corrections().labels["a"] == ["dog", "cat", "cow"]
    assert decisions.current()["6"] == ["keep"] and "2" not in decisions.current()
