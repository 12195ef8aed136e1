"""Detections to clips, verdicts to annotations, and a run that learns from them, by the command line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import soundfile as sf

from aurist.annotations import CutOptions, read_annotations, to_clips
from aurist.automl.annotated import read_annotated
from aurist.detection.store import Detections, Recording
from aurist.errors import ConfigError, DataError
from aurist.events import Event
from aurist.features.windows import Block
from aurist.review.clips import cut_clips, write_clips
from aurist.review.sampling import LONGEST, Detection, Sampling, draw_detections, systematic
from aurist.review.verdicts import read_verdicts
from aurist.search import IndexedVectors

from ..command import aurist, done

RATE = 8000
HZ = {"low": 400, "high": 2200}
FIT = ("field", "--annotations", "tables", "--window", 2, "--plan", "plan.toml", "--jobs", 1)
PLAN = '[[member]]\nname = "Forest"\nengine = "forest"\n[member.settings]\ntrees = 60\n'


def song(
    path: Path, seconds: float, seed: int, kinds: tuple[str, ...] = ("low", "high", "hum")
) -> list[tuple[float, float, str]]:
    """Low and high calls in turn, and in between what is neither: a hum, on which a run may err."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    y = 0.02 * rng.normal(size=len(t))
    calls = []
    for start in np.arange(0, seconds - 3, 4):
        kind = kinds[int(rng.integers(len(kinds)))]
        i, j = round((start + 0.5) * RATE), round((start + 2.5) * RATE)
        y[i:j] += 0.2 * np.sin(2 * np.pi * HZ.get(kind, 900) * t[i:j])
        calls.append((float(start + 0.5), float(start + 2.5), kind))
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, y, RATE)
    return calls


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[float, float, str]]]:
    """A run that has never been told of the hum, detections of a new recording, and clips of them."""
    folder = tmp_path_factory.mktemp("field")
    (folder / "plan.toml").write_text(PLAN)
    rows = ["path,start,end,label"]
    for i in range(6):
        for start, end, kind in song(folder / "field" / "known" / f"{i}.wav", 24, i, ("low", "high")):
            rows.append(f"known/{i}.wav,{start},{end},{kind}")
    (folder / "tables").mkdir()
    (folder / "tables" / "known.csv").write_text("\n".join(rows) + "\n")
    calls = song(folder / "field" / "new" / "dawn.wav", 120, 99)
    done("fit", *FIT, "-o", "run", cwd=folder)
    done("predict", "run", "field/new", "-o", "detections", "--jobs", 1, cwd=folder)
    done("clips", "run", "detections", "--best", 4, "--uncertain", 4, "--random", 12, cwd=folder)
    return folder, calls


def judged(table: pd.DataFrame, calls: list[tuple[float, float, str]]) -> pd.DataFrame:
    """With the verdicts of a person who knows what calls when."""

    def verdict(start: float, end: float, label: str) -> str:
        kinds = [kind for a, b, kind in calls if min(b, end) - max(a, start) > 0.25]
        return "yes" if label in kinds else kinds[0] if kinds and kinds[0] in HZ else "no" if kinds else "?"

    verdicts = [verdict(*row) for row in table[["start", "end", "label"]].itertuples(index=False)]
    return table.assign(verdict=verdicts)


def test_clips_are_cut_as_the_table_says(field: tuple[Path, list[tuple[float, float, str]]]) -> None:
    folder, _ = field
    table = pd.read_csv(folder / "clips" / "clips.csv")
    assert set(table["label"]) == set(HZ) and table["verdict"].isna().all()
    assert table["score"].is_monotonic_decreasing
    for name in HZ:
        own = table[table["label"] == name]["selected_by"].str.split(";").explode().value_counts()
        assert own["best"] == 4 and own["uncertain"] == 4 and own["random"] <= 12
    assert {path.name for path in (folder / "clips").glob("*.wav")} == set(table["file"])
    assert sorted(table["file"], reverse=True)[0].startswith(f"{table['score'].max():.3f}")
    whole, _ = sf.read(folder / "field" / "new" / "dawn.wav", dtype="float32")
    for row in table.itertuples():
        y, rate = sf.read(folder / "clips" / str(row.file), dtype="float32")
        a, b = (round(seconds * RATE) for seconds in (max(0, row.start - 1), row.end + 1))
        assert rate == RATE and np.array_equal(y, whole[a:b])
    events = pd.read_csv(folder / "detections" / "events.csv")
    for row in table[table["selected_by"].str.contains("random")].itertuples():
        own = events[
            (events["label"] == row.label) & (events["start"] <= row.start) & (events["end"] >= row.end)
        ]
        assert len(own) == 1, "what is drawn at random was announced"


def test_the_page_opens_alone_and_names_every_clip(
    field: tuple[Path, list[tuple[float, float, str]]],
) -> None:
    folder, _ = field
    page = (folder / "clips" / "index.html").read_text("utf-8")
    assert not re.search(r"https?://", re.sub(r'"data:[^"]*"', "", page))
    for name in pd.read_csv(folder / "clips" / "clips.csv")["file"]:
        assert f'src="{name}"' in page
    assert page.count("data:image/png") == page.count("<article ")


def test_a_run_learns_from_verdicts(field: tuple[Path, list[tuple[float, float, str]]]) -> None:
    folder, calls = field
    verdicts = judged(pd.read_csv(folder / "clips" / "clips.csv"), calls)
    verdicts.to_csv(folder / "judged.csv", index=False)
    back = done("verdicts", "run", "judged.csv", "-o", "verdicts.csv", cwd=folder)
    assert "precision of detections" in back.stdout
    table = read_annotations(folder / "verdicts.csv").table
    assert (table["state"] == "absent").any() and (table["state"] == "present").any()
    done("fit", *FIT, "--verdicts", "verdicts.csv", "-o", "better", cwd=folder)
    clips = pd.read_parquet(folder / "better" / "clips.parquet").set_index("path")
    new, old = clips.loc["new/dawn.wav"], clips.loc["known/0.wav"]
    assert (new["absent"].map(len) + new["labels"].map(len)).between(1, 2).all(), (
        "what is judged, and no more"
    )
    assert (old["absent"].map(len) + old["labels"].map(len) == 2).all(), "of these all is known"
    done("predict", "better", "field/new", "-o", "again", "--jobs", 1, cwd=folder)

    events = pd.read_csv(folder / "again" / "events.csv")
    wrong = verdicts[(verdicts["verdict"] == "no") & verdicts["selected_by"].str.contains("random")]
    assert len(wrong) >= 2, "it erred on the hum"
    for row in wrong.itertuples():
        own = events[events["label"] == row.label]
        shared = own["end"].clip(upper=row.end) - own["start"].clip(lower=row.start)
        assert shared.clip(lower=0).sum() <= 0.5 * (row.end - row.start), "it was told what the hum is not"


def test_what_cannot_be_is_said(field: tuple[Path, list[tuple[float, float, str]]], tmp_path: Path) -> None:
    folder, _ = field
    again = aurist("clips", "run", "detections", cwd=folder)
    assert again.returncode == 1 and "clips holds clips already" in again.stderr
    none = aurist("clips", "run", "tables", cwd=folder)
    assert "tables is no folder of detections" in none.stderr
    gone = aurist("clips", "run", "detections", "--audio-root", "tables", "-o", "other", cwd=folder)
    assert gone.returncode == 1 and "1 recording of detections cannot be read again" in gone.stderr
    same = aurist("verdicts", "run", "clips/clips.csv", "-o", "clips/clips.csv", cwd=folder)
    assert same.returncode == 1 and "is never written to" in same.stderr


class TestVerdicts:
    HEAD = "file,recording,start,end,label,score,selected_by,verdict\n"

    def test_what_each_says(self, tmp_path: Path) -> None:
        rows = ["yes", "NO", "robin", "?", ""]
        path = tmp_path / "clips.csv"
        path.write_text(
            self.HEAD
            + "".join(f"{i}.wav,a.wav,{i},{i + 1},wren,0.9,best;random,{v}\n" for i, v in enumerate(rows))
        )
        verdicts = read_verdicts(path, ["wren", "robin"])
        table_rows = verdicts.annotations.table[["start", "label", "state"]].to_numpy().tolist()
        assert table_rows == [
            [0.0, "wren", "present"], [1.0, "wren", "absent"], [2.0, "robin", "present"], [2.0, "wren", "absent"]
        ]  # fmt: skip
        assert verdicts.open == 2
        counted = verdicts.precision.set_index("selected_by").loc["random"]
        assert counted[["judged", "right"]].tolist() == [3, 1]
        # Wilson's interval of 1 in 3
        assert counted[["low", "high"]].astype(float).round(3).tolist() == [0.061, 0.792]

    def test_a_german_spreadsheet_writes_decimal_commas(self, tmp_path: Path) -> None:
        path = tmp_path / "clips.csv"
        path.write_text(self.HEAD.replace(",", ";") + "x.wav;a.wav;61,5;63;wren;0,972;best;yes\n")
        annotations = read_verdicts(path, ["wren"]).annotations
        assert annotations.table[["start", "end"]].to_numpy().tolist() == [[61.5, 63.0]]
        assert "clips.csv: numbers are written with a decimal comma" in annotations.notes

    def test_wrong_words_are_all_named_with_their_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "clips.csv"
        path.write_text(
            self.HEAD.replace(",", ";") + "a.wav;r;0;1;wren;1;best;yess\nb.wav;r;0;1;wren;1;best;yes\n"
            "c.wav;r;0;1;wren;1;best;robbin\n"
        )
        with pytest.raises(
            DataError,
            match=r"(?s)2 invalid verdicts:.*row 2, a\.wav: 'yess', perhaps yes.*row 4, c.*perhaps robin",
        ):
            read_verdicts(path, ["wren", "robin"])
        with pytest.raises(DataError, match="'robbin'"):
            read_verdicts(path, ["wren", "robin", "yess"])
        path.write_text("file,recording,start,end,label\n")
        with pytest.raises(DataError, match="no column verdict"):
            read_verdicts(path, ["wren"])


def scored(folder: Path, scores: list[float], width: float = 2.0) -> tuple[Detections, Recording]:
    """Detections of one class in windows that do not overlap."""
    (folder / "a.wav").write_bytes(b"")
    detections = Detections(folder / "out", {"classes": ["wren"]})
    one = Recording("a.wav", folder / "a.wav")
    detections.progress(one)
    starts = width * np.arange(len(scores))
    detections.keep(one, 0, Block(starts, starts + width, {}, None), np.array(scores)[:, None])
    return detections, one


class TestDrawing:
    def test_best_uncertain_and_random(self, tmp_path: Path) -> None:
        scores = [0.9, 0, 0.55, 0, 0.45, 0, 0.3, 0, 0.7, 0, 0.1]
        detections, one = scored(tmp_path, scores)
        columns, bar = np.array([0]), np.array([0.5])

        def drawn(**counts: int) -> list[float]:
            sample = draw_detections(detections, [one], columns, bar, Sampling(**counts))
            return [round(d.event.score, 2) for d in sample]

        assert drawn(best=2) == [0.9, 0.7]
        assert drawn(uncertain=2) == [0.55, 0.45]
        assert drawn(random=9) == [0.9, 0.7, 0.55]
        assert drawn(best=99) == [0.9, 0.7, 0.55, 0.45, 0.3], "down to half the threshold"
        both = draw_detections(detections, [one], columns, bar, Sampling(best=1, random=3))
        assert both[0].drawn == ("best", "random")

    def test_none_is_almost_the_same_as_a_chosen_one(self, tmp_path: Path) -> None:
        scores = [0.9, 0, 0.8, 0, 0.55, 0, 0.54, 0, 0.45]
        detections, one = scored(tmp_path, scores)
        seconds = {0: (1, 0), 4: (1, 0.01), 8: (0, 1), 12: (1, 0.02), 16: (1, 1)}

        class Given(IndexedVectors):
            def __init__(self) -> None:
                pass

            def at(self, file: Path, start: float, end: float) -> npt.NDArray[np.float32]:
                return np.array(seconds[int(start)], np.float32)

        def drawn(**counts: int) -> list[tuple[float, tuple[str, ...]]]:
            sample = draw_detections(
                detections, [one], np.array([0]), np.array([0.5]), Sampling(**counts), Given()
            )
            return [(round(d.event.score, 2), d.drawn) for d in sample]

        assert drawn(best=2) == [(0.9, ("best",)), (0.55, ("best",))]
        assert drawn(uncertain=3) == [(0.55, ("uncertain",)), (0.54, ("uncertain",)), (0.45, ("uncertain",))]
        # what is chosen for one reason may be chosen for another one, and is what others are compared with
        assert drawn(best=1, uncertain=9) == [
            (0.9, ("best", "uncertain")),
            (0.55, ("uncertain",)),
            (0.45, ("uncertain",)),
        ]
        assert len(drawn(random=9)) == 4, "random ones stand for all"

    def test_a_class_that_is_never_announced_has_best_ones(self, tmp_path: Path) -> None:
        detections, one = scored(tmp_path, [0.9, 0, 0.6, 0, 0.2])
        sample = draw_detections(
            detections, [one], np.array([0]), np.array([np.inf]), Sampling(best=9, random=9)
        )
        assert [(round(d.event.score, 1), d.drawn) for d in sample] == [(0.9, ("best",)), (0.6, ("best",))]

    def test_of_a_long_event_the_surest_part_is_cut(self, tmp_path: Path) -> None:
        detections, one = scored(tmp_path, [0.6] * 40 + [0.95] + [0.6] * 40)
        (event,) = draw_detections(detections, [one], np.array([0]), np.array([0.5]), Sampling(best=5))
        assert event.event.end - event.event.start == LONGEST
        assert event.event.start < 80 and event.event.end > 82

    def test_each_is_as_likely_as_the_others(self) -> None:
        rng = np.random.default_rng(0)
        counts = np.zeros(10)
        for _ in range(3000):
            counts[systematic(10, 4, rng)] += 1
        # 0.4 each: five standard deviations of 3000 draws
        assert np.abs(counts / 3000 - 0.4).max() < 5 * np.sqrt(0.24 / 3000)

    def test_nothing_to_draw(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="one must be at least 1"):
            Sampling()
        with pytest.raises(DataError, match="no detection to cut"):
            cut_clips([], ["wren"], tmp_path / "clips")


def test_recordings_are_found_by_name_wherever_they_are_in_the_folder(tmp_path: Path) -> None:
    for name in ("a/dawn.wav", "b/dusk.wav", "a/twice.wav", "b/twice.wav"):
        song(tmp_path / "field" / name, 8, 0)
    table = tmp_path / "t.csv"
    path = (tmp_path / "field" / "b" / "dusk.wav").resolve()
    table.write_text(f"path,start,end,label\ndawn.wav,0,1,x\n{path},0,1,x\nb/dusk.wav,2,3,y\n")
    clips = read_annotated(tmp_path / "field", table)
    assert set(clips.table["path"]) == {"a/dawn.wav", "b/dusk.wav"}
    table.write_text("path,start,end,label\ntwice.wav,0,1,x\n")
    with pytest.raises(
        DataError, match=r"twice\.wav may be 2 recordings in .*field: a/twice\.wav, b/twice\.wav"
    ):
        read_annotated(tmp_path / "field", table)


def test_files_are_called_as_a_file_system_takes_it(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    labels = ["../../out", "/etc/passwd", "장르" * 100, "𝄞" * 90, "a\x1b[2J\0", ".", ""]
    night = Recording("../" + "밤" * 80 + ".wav", tmp_path / "a.wav")
    drawn = [Detection(night, Event(0.1, 0.4, column, 0.9)) for column in range(len(labels))]
    table = cut_clips(drawn, labels, tmp_path / "in" / "clips")
    assert sorted(p.name for p in (tmp_path / "in" / "clips").iterdir()) == sorted(table["file"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.wav", "in"]
    assert all(file.isprintable() for file in table["file"])


def test_verdicts_are_read_of_labels_that_are_written_so_that_they_are_no_formulas(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    drawn = [Detection(Recording("=a.wav", tmp_path / "a.wav"), Event(0.1, 0.4, 0, 0.9))]
    write_clips(cut_clips(drawn, ["-Wren"], tmp_path / "clips"), tmp_path / "clips", safe_csv=True)
    path = tmp_path / "clips" / "clips.csv"
    table = pd.read_csv(path)
    assert table.loc[0, ["recording", "label"]].tolist() == ["'=a.wav", "'-Wren"]
    table.assign(verdict="yes").to_csv(path, index=False)
    one = next(iter(read_verdicts(path, ["-Wren"]).annotations))
    assert (one.path, one.label) == ("=a.wav", "-Wren")


def test_a_yes_to_a_long_event_is_about_its_surest_part(tmp_path: Path) -> None:
    """A call of 2 s in an event of 20: only the windows of the call are learnt as present."""
    detections, one = scored(tmp_path, [0, 0, 0.6, 0.6, 0.6, 0.95, 0.6, 0.6, 0.6, 0.6, 0, 0])
    (drawn,) = draw_detections(detections, [one], np.array([0]), np.array([0.5]), Sampling(best=5))
    assert (drawn.event.start, drawn.event.end, drawn.surest) == (4.0, 20.0, (10.0, 12.0))
    sf.write(tmp_path / "a.wav", np.zeros(24 * RATE), RATE)
    for verdict, expected in (
        ("yes", [("wren", "present", 10.0, 12.0)]),
        ("n", [("wren", "absent", 4.0, 20.0)]),
        (
            "robin; owl",
            [("robin", "present", 10.0, 12.0), ("owl", "present", 10.0, 12.0), ("wren", "absent", 4.0, 20.0)],
        ),
        ("Cannot tell", []),
    ):
        folder = tmp_path / verdict.replace("; ", "-")
        table = cut_clips([drawn], ["wren"], folder)
        table.assign(verdict=verdict).to_csv(folder / "clips.csv", index=False)
        verdicts = read_verdicts(folder / "clips.csv", ["wren", "robin", "owl"])
        rows = [(a.label, a.state, a.start, a.end) for a in verdicts.annotations]
        assert rows == expected and verdicts.open == (not expected)
    clips = to_clips(
        read_verdicts(tmp_path / "yes" / "clips.csv", ["wren"]).annotations,
        {"a.wav": 24.0},
        CutOptions(window=2, unannotated="unknown"),
    )
    assert clips.table["start"].tolist() == [10.0], "all else is unknown"


def test_a_table_of_an_older_version_is_about_whole_events(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text(
        "recording,start,end,label,verdict\na.wav,4,20,wren,y\na.wav,4,20,wren,yes;robin\n"
    )
    verdicts = read_verdicts(tmp_path / "clips.csv", ["wren", "robin"])
    assert [(a.label, a.start, a.end) for a in verdicts.annotations] == [
        ("wren", 4.0, 20.0),
        ("wren", 4.0, 20.0),
        ("robin", 4.0, 20.0),
    ]
    (tmp_path / "clips.csv").write_text("recording,start,end,label,verdict\na.wav,4,20,wren,no;robin\n")
    with pytest.raises(DataError, match="'no', perhaps"):
        read_verdicts(tmp_path / "clips.csv", ["wren", "robin"])


def test_a_class_that_is_never_predicted_has_its_best_events_to_judge(tmp_path: Path) -> None:
    detections, one = scored(tmp_path, [0.01, 0.0, 0.06, 0.01, 0.05, 0.01])
    drawn = draw_detections(detections, [one], np.array([0]), np.array([2.0]), Sampling(best=5))
    assert [d.event.start for d in drawn] == [4.0, 8.0]
