"""Which verdicts are never learnt from, and the clips that the others become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from aurist.automl.fit import fit
from aurist.clips import make_clips
from aurist.config import FitConfig
from aurist.errors import DataError
from aurist.review.journal import Verdict
from aurist.review.learning import Judged, divide, foresee, with_verdicts
from aurist.run import RunFolder, read_data

from ..small_run import LDA

RATE = 8000


def judged(
    content: str, word: str = "yes", *labels: str, at_random: bool = True, file: Path = Path("a.wav")
) -> Judged:
    return Judged(Verdict("", "a.wav", 1.0, 2.0, "drone", 0.9, word, labels), file, content, at_random)


@given(st.lists(st.integers(0, 40), min_size=3, max_size=60))
def test_about_a_third_is_held_out_by_whole_recordings(counts: list[int]) -> None:
    rows = [judged(str(number)) for number, count in enumerate(counts) for _ in range(count)]
    decided = divide(rows, {})
    held = sum(counts[int(content)] for content, holds in decided.items() if holds)
    # the largest recording decides how near to a third it can come
    assert abs(held - sum(counts) / 3) <= max(counts)


def test_decisions_stay() -> None:
    first = divide([judged(str(number)) for number in range(30)], {})
    assert 5 < sum(first.values()) < 15
    second = divide([judged(str(number)) for number in range(90)], first)
    assert first.items() <= second.items()
    assert 20 < sum(second.values()) < 40


def test_verdicts_of_other_orders_do_not_count() -> None:
    rows = [judged(name, at_random=False) for name in "abc"] + [judged("d"), judged("e"), judged("f")]
    decided = divide(rows, {})
    assert sum(decided.values()) == 1 and not any(decided[name] for name in "abc")
    assert not any(divide([judged("a", "?"), judged("b", "?")], {}).values())


@pytest.mark.parametrize(
    ("learn", "held", "answer"),
    [
        ("ynr", "", "not_random"),
        ("YN", "", "other_recording"),
        ("YN", "yn", "other_recording"),
        ("YN", "YY", "all_right"),
        ("", "N", "all_wrong"),
        ("YN", "YN", "few"),
        ("", "YN" * 10, "possible"),
    ],
)
def test_that_a_comparison_will_be_impossible_is_said_before(learn: str, held: str, answer: str) -> None:
    words = {"y": "yes", "n": "no", "r": "?"}
    rows = [
        [judged("a", words[one.lower()], at_random=one.isupper()) for one in part] for part in (learn, held)
    ]
    assert foresee(*rows) == answer


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    paths = {}
    for number in range(16):
        step = 0.2 if number % 2 else 1.9
        paths[str(number)] = folder / f"{number}.wav"
        time = np.arange(4 * RATE)
        soundfile.write(paths[str(number)], 0.4 * np.sin(time * step) + rng.normal(0, 0.1, len(time)), RATE)
    return paths


def fitted(folder: Path, sounds: dict[str, Path], multilabel: bool) -> RunFolder:
    folder.mkdir(exist_ok=True)
    (folder / "plan.toml").write_text(LDA)
    names = list(sounds)[:12]
    clips = make_clips(
        [("drone",) if int(name) % 2 else ("whistle",) for name in names],
        paths=[str(sounds[name]) for name in names],
        folds=[str(row // 4) for row in range(12)],
        multilabel=multilabel,
    )
    return fit(
        clips, folder / "run", FitConfig(plan=str(folder / "plan.toml"), jobs=1, near_duplicates=False)
    )


def test_one_label_a_clip(tmp_path: Path, sounds: dict[str, Path]) -> None:
    run = fitted(tmp_path, sounds, multilabel=False)
    rows = [
        judged("x", "yes", file=sounds["13"]),
        judged("y", "other", "whistle", file=sounds["14"]),
        judged("z", "no", file=sounds["15"]),
    ]
    clips, n_new = with_verdicts(read_data(run).clips, rows, 1.0)
    assert n_new == 2 and len(clips) == 14 and not clips.multilabel
    new = clips.table.tail(2)
    assert new["labels"].tolist() == [("drone",), ("whistle",)]
    assert new["start"].tolist() == [1.0, 1.0] and new["end"].tolist() == [2.0, 2.0]
    assert new["group"].tolist() == ["judged x", "judged y"]
    assert set(new["fold"]) <= {"0", "1", "2"}  # the others have folds, so they need some
    with pytest.raises(DataError, match="one label per clip"):
        with_verdicts(read_data(run).clips, rows[2:], 1.0)
    with pytest.raises(DataError, match="nothing to learn"):
        with_verdicts(read_data(run).clips, [], 1.0)


def test_several_labels_a_clip(tmp_path: Path, sounds: dict[str, Path]) -> None:
    run = fitted(tmp_path, sounds, multilabel=True)
    rows = [judged("x", "no", file=sounds["14"]), judged("y", "other", "whistle", "drone", file=sounds["15"])]
    clips, n_new = with_verdicts(read_data(run).clips, rows, 1.0)
    targets = clips.targets()
    assert n_new == 2
    # classes: drone, whistle; what was not judged is unknown in the new clips, and absent in the old ones as before
    part = clips.table["part"].tolist()
    assert part == [*["train"] * 14, *["background"] * 6]
    assert targets[12:].tolist() == [[0, -1], [1, 1], *[[0, 0]] * 6]
    old = replace(clips, table=clips.table.head(12)).targets()
    assert sorted({tuple(row) for row in old.tolist()}) == [(0, 1), (1, 0)]
