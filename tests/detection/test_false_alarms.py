"""False alarms an hour: measured out of fold and on quiet recordings, asked for, and printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from aurist.detection.thresholds import event_thresholds, parse_rate
from aurist.ensemble.thresholds import SILENT
from aurist.errors import ConfigError
from aurist.run import files_of_run, open_run
from aurist.run.events_file import read_event_curve, read_events

from ..command import aurist, done

RATE = 8000
PLAN = '[[member]]\nname = "Forest"\nengine = "forest"\n[member.settings]\ntrees = 60\n'


def recording(path: Path, seed: int, kinds: tuple[str, ...]) -> list[tuple[float, float, str]]:
    """Calls of about a second every five seconds, and in turn hums that are no class but sound a little like one."""
    rng, calls = np.random.default_rng(seed), []
    t = np.arange(30 * RATE) / RATE
    y = 0.02 * rng.normal(size=len(t))
    for start in range(1, 30, 5):
        kind = kinds[int(rng.integers(len(kinds)))]
        hz = {"low": 400, "high": 2200, "hum": rng.uniform(300, 900)}[kind]
        n = round(rng.uniform(0.8, 1) * RATE)
        y[start * RATE : start * RATE + n] += rng.uniform(0.02, 0.2) * np.sin(2 * np.pi * hz * t[:n])
        if kind != "hum":
            calls.append((float(start), start + n / RATE, kind))
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, y, RATE)
    return calls


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run on annotated recordings, some of them without a call; and what the fit printed."""
    folder = tmp_path_factory.mktemp("field")
    rows = ["path,start,end,label"]
    for i in range(12):
        kinds = ("hum",) if i % 4 == 3 else ("low", "high", "hum")
        for start, end, kind in recording(folder / "field" / f"{i}.wav", i, kinds):
            rows.append(f"{i}.wav,{start},{end},{kind}")
        if i % 4 == 3:
            rows.append(f"{i}.wav,0,0,")
    (folder / "calls.csv").write_text("\n".join(rows) + "\n")
    for i in range(2):
        recording(folder / "quiet" / f"q{i}.wav", 100 + i, ("hum",))
    (folder / "plan.toml").write_text(PLAN)
    command = ("fit", "field", "--annotations", "calls.csv", "--plan", "plan.toml", "--jobs", 1, "-o", "run")
    return folder, one_line(done(*command, cwd=folder).stdout)


def test_the_fit_states_its_events_and_keeps_their_curve(field: tuple[Path, str]) -> None:
    folder, printed = field
    run = open_run(folder / "run")
    scores, curve = read_events(run.folder, run.remedy), read_event_curve(run.folder, run.remedy)
    assert scores is not None and curve is not None
    assert scores.sentence() in printed
    assert (scores.window, scores.hop) == (1.0, 0.5)
    assert scores.boxes == len(pd.read_csv(folder / "calls.csv").dropna())
    assert scores.recall.score > 0.3 and scores.recall.low <= scores.recall.score <= scores.recall.high
    assert scores.hours == pytest.approx((12 * 30 - 0.9 * scores.boxes) / 3600, rel=0.02)
    assert curve.groupby("threshold")["alarms"].sum().iloc[0] > 0


def test_fewer_false_alarms_are_had_by_asking(field: tuple[Path, str]) -> None:
    folder, _ = field
    files = files_of_run(open_run(folder / "run"))
    scores, curve = read_events(files.folder, ""), read_event_curve(files.folder, "")
    assert scores is not None and curve is not None
    alarms = curve.groupby("threshold")["alarms"].sum()
    chosen = [event_thresholds(files, false_alarms=rate) for rate in (1000, 100, 20, 0)]
    values = [float(one.lowest[one.lowest < SILENT].min()) for one in chosen if one.lowest is not None]
    assert len(values) == 4 and values == sorted(values) and values[0] < values[2]
    for rate, threshold in zip((1000, 100, 20), values, strict=False):
        assert alarms[alarms.index >= threshold - 1e-9].max() <= rate * scores.hours
        below = alarms[alarms.index < threshold - 1e-9]
        assert not len(below) or below.iloc[-1] > rate * scores.hours or below.max() > rate * scores.hours
    assert any("show no rate below" in note for note in chosen[2].notes)
    with pytest.raises(ConfigError, match=r"precision= and false_alarms= both choose thresholds"):
        event_thresholds(files, precision=0.9, false_alarms=1.0)
    with pytest.raises(ConfigError, match="not for Forest"):
        event_thresholds(files, "Forest", false_alarms=1.0)


def test_predict_says_how_times_are_made_and_takes_a_rate(field: tuple[Path, str]) -> None:
    folder, _ = field
    plain = done("predict", "run", "quiet", "-o", "plain", "--jobs", 1, cwd=folder)
    shown = one_line(plain.stderr)
    assert "event times: by windows of 1 s, one every 0.5 s, in steps of 0.5 s" in shown
    assert "false alarms: " in shown and "--false-alarms 1/h" in shown
    few = done("predict", "run", "quiet", "--false-alarms", "20/h", "-o", "few", "--jobs", 1, cwd=folder)
    assert "for all classes: " in one_line(few.stderr)
    done("predict", "run", "quiet", "--false-alarms", "2000/h", "-o", "many", "--jobs", 1, cwd=folder)
    events = [len(pd.read_csv(folder / name / "events.csv")) for name in ("many", "few")]
    assert events[1] <= events[0]
    wrong = aurist("predict", "run", "quiet", "--false-alarms", "few", "-o", "few", cwd=folder)
    assert wrong.returncode and "False alarms of 'few' cannot be read" in one_line(wrong.stderr)
    both = aurist(
        "predict", "run", "quiet", "--false-alarms", "1/h", "--precision", "0.9", "-o", "x", cwd=folder
    )
    assert both.returncode and "both choose thresholds" in one_line(both.stderr)


def test_predict_says_how_recordings_differ_from_those_learnt_from(field: tuple[Path, str]) -> None:
    folder, _ = field
    (folder / "dull").mkdir()
    for name in ("q0.wav", "q1.wav"):
        y, _ = sf.read(folder / "quiet" / name)
        spectrum = np.fft.rfft(y)
        spectrum[len(spectrum) // 3 :] = 0
        sf.write(folder / "dull" / name, np.fft.irfft(spectrum, len(y)), RATE)
    given = ("--jobs", 1, "--min-score", "0.9", "-o")
    shown = one_line(done("predict", "run", "dull", *given, "of-dull", cwd=folder).stderr)
    found = re.search(
        r"sample rate: 2 of 2 recordings hold no sound above ([\d,]+) Hz, and those learnt from", shown
    )
    assert found and float(found[1].replace(",", "")) == pytest.approx(RATE / 6, abs=RATE / 2 / 25)
    for kind in ("sample rate: ", "background: ", "level: "):
        assert kind not in one_line(done("predict", "run", "quiet", *given, "of-like", cwd=folder).stderr)


def test_quiet_recordings_are_counted(field: tuple[Path, str]) -> None:
    folder, _ = field
    done("predict", "run", "quiet", "-o", "all", "--jobs", 1, cwd=folder)
    events = pd.read_csv(folder / "all" / "events.csv")
    answer = done("evaluate", "run", "--quiet-recordings", "quiet", "-o", "scores", "--jobs", 1, cwd=folder)
    counted = json.loads((folder / "scores" / "quiet.json").read_text())
    assert counted["hours"] == pytest.approx(1 / 60)
    assert counted["per_hour"]["low"] is counted["per_hour"]["high"] is None, "a minute has no interval"
    assert sum(row["false_alarms"] for row in counted["by_class"]) == len(events)
    assert counted["per_hour"]["score"] == pytest.approx(60 * len(events))
    printed = one_line(answer.stdout)
    assert "Fewer than 180 an hour cannot be shown" in printed
    assert counted["thresholds"] == [] and "one threshold for all classes" not in printed, "a minute is short"
    assert "A threshold for 10 an hour needs 18 min of quiet recordings, for 1 an hour 3 h" in printed
    none_from = counted["none_from"]
    assert f"From a score of {none_from:.3g} on there is none here" in printed
    given = ("quiet", "-o", "none", "--jobs", 1, "--min-score", none_from)
    done("predict", "run", *given, cwd=folder)
    assert pd.read_csv(folder / "none" / "events.csv").empty
    assert aurist("evaluate", "run", cwd=folder).returncode


def test_an_option_on_priors_needs_priors(field: tuple[Path, str]) -> None:
    folder, _ = field
    wrong = aurist("predict", "run", "quiet", "--no-weigh", "-o", "unweighed", cwd=folder)
    assert wrong.returncode == 1 and "--no-weigh needs a table of priors" in one_line(wrong.stderr)
    assert not (folder / "unweighed").exists()


def test_rates_are_an_hour_or_a_day() -> None:
    assert parse_rate(" 2 / h ") == 2 and parse_rate("48/d") == 2
    for text in ("-1/h", "1/week", "", "1.2.3", "inf"):
        with pytest.raises(ConfigError, match="Give a number an hour or a day"):
            parse_rate(text)


def test_the_report_has_a_curve_for_each_class(field: tuple[Path, str]) -> None:
    folder, _ = field
    done("report", "run", "-o", "report.html", "--no-sound", cwd=folder)
    page = (folder / "report.html").read_text("utf-8")
    assert "Precision, recall and false alarms by threshold" in page and "Events, out of fold: " in page


def test_a_model_folder_keeps_them(field: tuple[Path, str]) -> None:
    folder, _ = field
    done("export", "run", "-o", "model", cwd=folder)
    given = ("quiet", "--false-alarms", "500/h", "--jobs", 1, "-o")
    shown = [
        one_line(done("predict", name, *given, f"by-{name}", cwd=folder).stderr) for name in ("run", "model")
    ]
    assert shown[0].split("written")[0] == shown[1].split("written")[0]


def test_outputs_of_an_earlier_call_are_removed_and_empty_columns_left_out(field: tuple[Path, str]) -> None:
    folder, _ = field
    given = ("predict", "run", "field", "-o", "twice", "--jobs", 1)
    done(*given, "--format", "csv,raven,windows,audacity", cwd=folder)
    assert list(pd.read_csv(folder / "twice" / "events.csv")) == ["path", "start", "end", "label", "score"]
    again = done(*given, "--min-score", "0.9", cwd=folder)
    names = {path.name for path in (folder / "twice").iterdir() if not path.name.startswith(".")}
    assert names == {"events.csv", "journal.jsonl", "scores", "settings.json"}
    assert "events.selections.txt, of an earlier call; --format raven writes it again" in one_line(
        again.stderr
    )


def test_removed_recordings_do_not_stop_a_review(field: tuple[Path, str]) -> None:
    folder, _ = field
    for name in ("0.wav", "1.wav"):
        (folder / "some").mkdir(exist_ok=True)
        (folder / "some" / name).write_bytes((folder / "field" / name).read_bytes())
    done("predict", "run", "some", "-o", "of-some", "--jobs", 1, cwd=folder)
    (folder / "some" / "0.wav").unlink()
    shown = done("clips", "run", "of-some", "--best", 3, "-o", "of-some-clips", cwd=folder)
    assert "1 recording of of-some cannot be read again" in one_line(shown.stderr)
    assert set(pd.read_csv(folder / "of-some-clips" / "clips.csv")["recording"]) == {"1.wav"}
    (folder / "some" / "1.wav").unlink()
    none = aurist("clips", "run", "of-some", "-o", "no-clips", cwd=folder)
    assert none.returncode and "2 recordings of of-some cannot be read again" in one_line(none.stderr)
