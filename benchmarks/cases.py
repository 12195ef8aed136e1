"""Small inputs that once gave a wrong result, run through the command line: one line each, right or wrong.

python benchmarks/cases.py --cases ../shared/cases
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from _common import table

RATE = 22050
_PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\n[member.settings]\ntrees = 100\n'


@dataclass(frozen=True)
class Case:
    """An input, its former result, a way to run it, and the pattern of the right result."""

    name: str
    before: str
    outcome: Callable[[Path, Path], str]
    right: str


def aurist(folder: Path, *words: str | Path) -> str:
    """Return all output of a command on one line."""
    done = subprocess.run(
        [sys.executable, "-m", "aurist", *map(str, words)],
        cwd=folder,
        env={**os.environ, "AURIST_CACHE_DIR": str(folder / "cache"), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
    )
    output = done.stdout + "\n" + done.stderr
    if "Traceback" in output or "this is a bug" in output:
        return "TRACEBACK " + output[-300:]
    return " | ".join(line.strip() for line in output.splitlines() if line.strip())


def part(output: str, *patterns: str) -> str:
    """Return the parts of the output worth printing: the first match of each pattern."""
    matches = [match.group(0).strip() for p in patterns if (match := re.search(p, output))]
    return "; ".join(matches) or output[-160:]


def noises(folder: Path, names: Sequence[str], seconds: float) -> None:
    """Make recordings of coloured noise, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        rng = np.random.default_rng(list(name.encode()))
        y = np.convolve(rng.normal(size=round(seconds * RATE)), rng.normal(size=12), "same")
        soundfile.write(folder / name, 0.4 * y / np.abs(y).max(), RATE)


def plan(folder: Path) -> Path:
    path = folder / "plan.toml"
    path.write_text(_PLAN)
    return path


def checked(name: str) -> Callable[[Path, Path], str]:
    """Return the length that a file is found to have, and the messages about it."""

    def outcome(cases: Path, folder: Path) -> str:
        shutil.copy(cases / "audio" / name, folder / name)
        (folder / "one").mkdir()
        shutil.copy(cases / "audio" / name, folder / "one" / name)
        output = aurist(folder, "check", "one", "--no-near-duplicates")
        return part(output, r"max: [\d.]+", r"Nothing broken[^|]*", r"- 1 clip [^|]*")

    return outcome


def annotated(name: str) -> Callable[[Path, Path], str]:
    """Return the windows of an annotated fit: two of each of five recordings of 10 s, and those of the file."""

    def outcome(cases: Path, folder: Path) -> str:
        others = [f"n{i}.wav" for i in range(5)]
        noises(folder / "in", others, 10.0)
        shutil.copy(cases / "audio" / name, folder / "in" / name)
        rows = [f"{one},{5 * k + 1},{5 * k + 2},{'wren' if k else 'robin'}" for one in others for k in (0, 1)]
        rows += [f"{name},0.5,1.5,wren", f"{name},1.6,2.5,robin"]
        (folder / "boxes.csv").write_text("path,start,end,label\n" + "\n".join(rows) + "\n")
        output = aurist(
            folder, "fit", "in", "--annotations", "boxes.csv", "--window", "2.5", "--plan", plan(folder), "-o", "run"
        )  # fmt: skip
        return part(
            output, r"average_precision [\d.]+ \[[^|]*", r"on \d+ clips in \d+ groups", r"aurist: [^|]*"
        )

    return outcome


def spans_of_gsm(cases: Path, folder: Path) -> str:
    shutil.copy(cases / "audio" / "gsm610.wav", folder / "gsm610.wav")
    (folder / "spans.csv").write_text(
        "path,start,end,label\ngsm610.wav,0,1,a\ngsm610.wav,1,2,b\ngsm610.wav,2.5,3.5,a\n"
    )
    return part(
        aurist(folder, "features", "spans.csv", "-o", "f.csv"),
        r"written: [^|]*",
        r"aurist: [^|]*",
        r"left out[^|]*",
    )


def fitted(script: str, *words: str) -> Callable[[Path, Path], str]:
    """Return the score of a fit on the output of a script."""

    def outcome(cases: Path, folder: Path) -> str:
        folder_of_case = next(cases.glob(f"*/{script}"))
        subprocess.run(
            [sys.executable, folder_of_case.resolve()], cwd=folder, check=True, capture_output=True
        )
        given = [str(cases.resolve() / word[1:]) if word.startswith("@") else word for word in words]
        own = [] if "--plan" in given else ["--plan", str(plan(folder))]
        output = aurist(folder, "fit", *given, *own, "-o", "run")
        score = r"Ensemble: accuracy [^;]*; chance is [\d.]+"
        return part(
            output, r"groups: [^|]*", r"group column: [^|]*", score, r"held-out part[^|]*", r"aurist: [^|]*"
        )

    return outcome


def of_times(name: str) -> Callable[[Path, Path], str]:
    def outcome(cases: Path, folder: Path) -> str:
        text = (cases / "tables" / name).read_text()
        head, *rows = text.splitlines()
        # As many recordings as the folds need.
        more = [row.replace("rec0.wav", f"rec{i}.wav") for i in range(4) for row in rows]
        (folder / name).write_text("\n".join([head, *more]) + "\n")
        noises(folder, [f"rec{i}.wav" for i in range(4)], 8.0)
        return part(
            aurist(folder, "check", name), r"clip seconds[^|]*max: [\d.]+", r"clips +\d+", r"aurist: [^|]*"
        )

    return outcome


def text_feature(cases: Path, folder: Path) -> str:
    head, *rows = (cases / "tables" / "text_feature_train.csv").read_text().splitlines()
    rows = [
        f"{i:04d},{60 + i},{'CDE'[i % 3]},{bool(i % 2)},,2020-01-{i % 4 + 1:02d},0{i % 2 + 1}"
        for i in range(40)
    ]
    (folder / "train.csv").write_text("\n".join([head, *rows]) + "\n")
    output = aurist(folder, "fit", "train.csv", "--label", "label", "--plan", plan(folder), "-o", "run")
    if "run written" not in output:
        return part(output, r"aurist: [^|]*")
    new = cases.resolve() / "tables" / "text_feature_new.csv"
    return part(aurist(folder, "predict", "run", new, "-o", "out.csv"), r"written: [^|]*", r"aurist: [^|]*")


def annotations(name: str, *recordings: tuple[str, float]) -> Callable[[Path, Path], str]:
    """Return the messages of a fit about the classes, before it makes folds."""

    def outcome(cases: Path, folder: Path) -> str:
        for recording, seconds in recordings:
            noises(folder / "in", [recording], seconds)
        shutil.copytree(cases / "annotations" / name, folder / "tables")
        words = (
            "in",
            "--annotations",
            "tables",
            "--window",
            "2",
            "--no-near-duplicates",
            "--plan",
            plan(folder),
            "-o",
            "run",
        )
        output = part(aurist(folder, "fit", *words), r"[^|]*names of classes[^|]*", r"aurist: .*")
        data = folder / "run" / "data.json"
        classes = re.search(r'"classes": \[[^\]]*\]', data.read_text() if data.exists() else "")
        return f"{output}; {' '.join(classes[0].split())}" if classes else output

    return outcome


CASES = (
    Case(
        "audio/vbr_without_xing.mp3",
        "16.7 s, silently",
        checked("vbr_without_xing.mp3"),
        r"max: 60\.0[0-9].*Nothing|max: 60\.0(?!.*truncated)",
    ),
    Case(
        "audio/cbr_without_xing.mp3",
        '"truncated", "its end is missing"',
        checked("cbr_without_xing.mp3"),
        r"max: 60\.0(?!.*(truncated|missing))",
    ),
    Case(
        "audio/wav_never_closed.wav",
        '"holds no samples", left out',
        checked("wav_never_closed.wav"),
        r"max: 3\.5.*3\.5 s",
    ),
    Case(
        "audio/wav_placeholder_size.wav, annotated",
        '22,676 windows, "12.6 h"',
        annotated("wav_placeholder_size.wav"),
        r"on 2\d clips",
    ),
    Case(
        "audio/flac_unknown_length.flac",
        '"promises 209146758205323 s"',
        checked("flac_unknown_length.flac"),
        r"max: [\d.]{3,5}(?!.*promises)",
    ),
    Case(
        "audio/flac_unknown_length.flac, annotated",
        "unable to allocate 1.49 PiB",
        annotated("flac_unknown_length.flac"),
        r"on 2\d clips",
    ),
    Case(
        "audio/browser_without_length.webm, annotated",
        '"lasts 0 s"',
        annotated("browser_without_length.webm"),
        r"on 45 clips",
    ),
    Case("audio/chained.ogg", "3.5 s, silently", checked("chained.ogg"), r"max: 7\.0"),
    Case("audio/chained.ogg, annotated", "a traceback", annotated("chained.ogg"), r"on 23 clips"),
    Case("audio/gsm610.wav", '"lasts 3.541 s, but the clip starts at 1 s"', spans_of_gsm, r"3 (rows|clips)"),
    Case(
        "audio/make_pieces_of_recordings.py",
        '0.911 [0.864, 0.943], "192 groups"',
        fitted("make_pieces_of_recordings.py", "cuts"),
        r"24 groups",
    ),
    Case(
        "tables/make_gtzan_3_seconds.py",
        "0.932",
        fitted("make_gtzan_3_seconds.py", "features_3_sec.csv", "--label", "label"),
        r"60 groups",
    ),
    Case(
        "tables/make_sites_of_noise.py",
        "0.555 against 0.463",
        fitted(
            "make_sites_of_noise.py",
            "sites_noise.csv",
            "--label",
            "label",
            "--fold",
            "site",
            "--plan",
            "@tables/plan_second_level.toml",
        ),
        r"accuracy 0\.[34]",
    ),
    Case("tables/times_hms.csv", "whole recordings learnt", of_times("times_hms.csv"), r"max: 1\.0"),
    Case("tables/times_ms.csv", "whole recordings learnt", of_times("times_ms.csv"), r"max: 1\.0"),
    Case("tables/times_dur.csv", "whole recordings learnt", of_times("times_dur.csv"), r"max: 1\.0"),
    Case("tables/text_feature_*.csv", "\"missing: 'key', 'date'\"", text_feature, r"3 rows"),
    Case(
        "annotations/sorted_by_label",
        "the box in `b.wav` 20 s late",
        annotations("sorted_by_label", ("a.wav", 20.0), ("b.wav", 120.0)),
        r"File Offset",
    ),
    Case(
        "annotations/excel_quotes",
        "two classes",
        annotations("excel_quotes", ("a.wav", 10.0), ("b.wav", 10.0)),
        r"single class|one class|\[ ?\"wren, song\" ?\]|needs? .*classes",
    ),
    Case("annotations/na_label", "a class `NA`", annotations("na_label", ("a.wav", 10.0)), r"read as .*NA"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=Path(__file__).parents[2] / "shared" / "cases")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    given = parser.parse_args()
    rows = []
    for case in CASES:
        if given.only not in case.name:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            now = case.outcome(given.cases.resolve(), Path(temporary)).replace(f"{temporary}/", "")
        right = "yes" if re.search(case.right, now, re.IGNORECASE) else "NO"
        rows.append([case.name, case.before, now.replace("|", "/")[:300], right])
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    print(table(["input", "before", "now", "right"], rows))


if __name__ == "__main__":
    main()
