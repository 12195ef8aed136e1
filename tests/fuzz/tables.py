"""Feature tables, tables of clips, folders with a list, and tables that people edit."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd

from .harness import Target
from .sounds import write_noise


def feature_rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(12, 3)).round(4), columns=["tempo", "energy", "valence"])
    table.insert(0, "id", [f"R{i:02d}" for i in range(12)])
    return table.assign(
        mode=["minor", "major"] * 6,
        artist=[f"a{i // 3}" for i in range(12)],
        genre=["folk", "rap", "rock"] * 4,
    )


def _csv(folder: Path) -> None:
    feature_rows().to_csv(folder / "train.csv", index=False)


def _semicolons(folder: Path) -> None:
    feature_rows().to_csv(folder / "train.csv", index=False, sep=";", decimal=",", encoding="utf-16")


def _tsv(folder: Path) -> None:
    table = feature_rows().assign(
        genre="folk;rap", path=[f"r/{i}.wav" for i in range(12)], start=0.5, end=1.5
    )
    table.drop(columns=["id", "mode"]).to_csv(folder / "train.tsv", index=False, sep="\t")


def _parquet(folder: Path) -> None:
    feature_rows().to_parquet(folder / "train.parquet", index=False)


def _arff(folder: Path) -> None:
    lines = [
        "@relation t",
        "@attribute tempo numeric",
        "@attribute mode {minor,'ma jor'}",
        "@attribute note string",
    ]
    lines += ["@attribute wren {0,1}", "@attribute robin {0,1}", "@data"]
    lines += [f"{i}.5,{'minor' if i % 2 else chr(39) + 'ma jor' + chr(39)},?,{i % 2},1" for i in range(8)]
    lines += ["{0 2.5, 3 1, 4 1}"]
    (folder / "train.arff").write_text("\n".join(lines) + "\n")
    (folder / "train.xml").write_text('<labels><label name="wren"/><label name="robin"/></labels>')


def _read_table(folder: Path) -> object:
    from aurist.clips.read import ReadOptions, read_clips

    path = next((path for path in folder.glob("train.*") if path.suffix != ".xml"), folder)
    clips = read_clips(path, ReadOptions())
    with contextlib.suppress(ValueError):  # The same kind as the first, with another reader.
        read_clips(path, ReadOptions(), labelled=False)
    return clips.targets()


def _listed(folder: Path) -> None:
    """Make a folder of recordings with a table that lists them."""
    for name in "ab":
        write_noise(folder / f"{name}.wav", "WAV", "PCM_16")
    (folder / "labels.csv").write_text("path,label,fold\na.wav,dog,1\nb.wav,cat,2\n")


def _read_folder(folder: Path) -> object:
    from aurist.clips.read import read_clips

    return read_clips(folder).targets()


def _sample(folder: Path) -> None:
    (folder / "sample.csv").write_text("id,genre\n007,folk\n008,rap\n")


def _read_sample(folder: Path) -> object:
    from aurist.cli.apply import _sample as read

    return read(folder / "sample.csv")


def _verdicts(folder: Path) -> None:
    (folder / "clips.csv").write_text(
        "file,recording,start,end,label,score,drawn,verdict\nx.wav,a.wav,0.5,1,wren,0.9,random,yes\ny.wav,a.wav,2,3,wren,0.8,top,robin\n"
    )


def _read_verdicts(folder: Path) -> object:
    from aurist.review.verdicts import read_verdicts

    return read_verdicts(folder / "clips.csv", ["wren", "robin"])


def _judged(folder: Path) -> None:
    from aurist.review.journal import Verdict, VerdictJournal

    journal = VerdictJournal(folder)
    journal.put(Verdict("k1", "a.wav", 0.5, 1.0, "wren", 0.9, "yes", surest_start=0.6, surest_end=0.8))
    journal.put(Verdict("k2", "a.wav", 2.0, 3.0, "wren", 0.8, "other", ("robin",)))
    journal.put(Verdict("k1", "a.wav", 0.5, 1.0, "wren", 0.9, ""))


def _read_judged(folder: Path) -> object:
    from aurist.review.journal import Verdict, VerdictJournal

    journal = VerdictJournal(folder)
    journal.put(Verdict("k3", "a.wav", 5.0, 6.0, "wren", 0.7, "no"))
    return journal.current(), VerdictJournal(folder).current()


TARGETS = (
    Target("table: csv", _csv, _read_table, 4),
    Target("table: csv, UTF-16, decimal comma", _semicolons, _read_table, 2),
    Target("table: tsv of clips, several labels", _tsv, _read_table, 3),
    Target("table: Parquet", _parquet, _read_table, 3),
    Target("table: ARFF and XML", _arff, _read_table, 4),
    Target("folder with a list", _listed, _read_folder, 1),
    Target("sample submission", _sample, _read_sample, 1),
    Target("verdicts", _verdicts, _read_verdicts, 1),
    Target("journal of verdicts", _judged, _read_judged, 1),
)
