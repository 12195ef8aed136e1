"""Lay nights: calls of nips4b over background, at times that are written down; and score the events of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile

from aurist.audio import read

#: Sample rate of the nights in Hz; the recordings to learn from have 22,050.
RATE = 32_000
#: Boxes of a class with less than this between them are one call, in seconds: syllables of one song.
JOINED = 1.0
#: Level of the background; range of a call's level above it in dB.
LEVEL, ABOVE = 0.01, (6.0, 18.0)
#: Seconds around a call that are laid with it; between two calls.
EDGE, GAPS = 0.15, (3.0, 15.0)


@dataclass(frozen=True)
class Sources:
    """The files of one part, to learn from or to lay: calls, and background without a call.

    Parameters
    ----------
    calls
        ``path, start, end, label``.
    background
        Files without a species.
    """

    calls: pd.DataFrame
    background: list[Path]


def divide(data: Path, seed: int, *, most: bool, n_classes: int = 12) -> tuple[Sources, Sources]:
    """Draw classes, and divide files and background into those to learn from and those to lay.

    Six of ten files of a class are learnt from. ``most``: the classes with the most files instead of a draw of those
    with 7 to 14.
    """
    rng = np.random.default_rng(seed)
    boxes = pd.read_csv(data / "nips4b" / "segments.csv").rename(columns={"t_min": "start", "t_max": "end"})
    files = boxes.groupby("label")["path"].nunique().sort_index()
    if most:
        classes = files.sort_values(ascending=False, kind="stable").index[:n_classes].tolist()
    else:
        classes = sorted(rng.choice(files[files.between(7, 14)].index, n_classes, replace=False))
    calls = joined(boxes[boxes["label"].isin(classes)])
    learnt: set[str] = set()
    laid: set[str] = set()
    for label in sorted(classes, key=lambda name: (files[name], name)):
        of_class = sorted(set(calls.loc[calls["label"] == label, "path"]))
        free = [path for path in of_class if path not in learnt | laid]
        wanted = round(0.6 * len(of_class)) - sum(path in learnt for path in of_class)
        order = rng.permutation(len(free))
        learnt |= {free[i] for i in order[: max(0, wanted)]}
        laid |= {free[i] for i in order[max(0, wanted) :]}
    listed = pd.read_csv(data / "nips4b" / "labels.csv")
    empty = [data / "nips4b" / path for path in listed.loc[listed["label"].isna(), "path"]]
    background = [*sorted((data / "soundscapes").glob("S4A*.ogg")), *empty]
    half = rng.permutation(len(background)) < len(background) // 2
    parts = (
        Sources(
            calls[calls["path"].isin(paths)].reset_index(drop=True),
            [file for file, flag in zip(background, half, strict=True) if flag == wanted_half],
        )
        for paths, wanted_half in ((learnt, True), (laid, False))
    )
    first, second = parts
    return first, second


def joined(boxes: pd.DataFrame) -> pd.DataFrame:
    """Join boxes of a class that are near each other into calls: ``path, start, end, label``."""
    rows: list[list[object]] = []
    for (path, label), group in boxes.sort_values("start").groupby(["path", "label"]):
        for start, end in zip(group["start"], group["end"], strict=True):
            if rows and rows[-1][0] == path and rows[-1][3] == label and start - rows[-1][2] < JOINED:
                rows[-1][2] = max(rows[-1][2], end)
            else:
                rows.append([path, start, end, label])
    return pd.DataFrame(rows, columns=["path", "start", "end", "label"])


def write_learnt(folder: Path, data: Path, sources: Sources) -> None:
    """Write the recordings to learn from, as links, and a Raven table for each; those of background are empty."""
    for name in ("recordings", "tables"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    by_path = dict(list(sources.calls.groupby("path")))
    files = [(data / "nips4b" / path, calls) for path, calls in by_path.items()]
    files += [(file, sources.calls.iloc[:0]) for file in sources.background]
    for file, calls in files:
        link = folder / "recordings" / file.name
        if not link.is_symlink():
            link.symlink_to(file.resolve())
        table = pd.DataFrame(
            {
                "Selection": np.arange(1, len(calls) + 1),
                "View": "Spectrogram 1",
                "Channel": 1,
                "Begin Time (s)": calls["start"].to_numpy(),
                "End Time (s)": calls["end"].to_numpy(),
                "Species": calls["label"].to_numpy(),
            }
        )
        table.to_csv(
            folder / "tables" / f"{file.stem}.Table.1.selections.txt",
            sep="\t",
            index=False,
            float_format="%.6f",
        )


def lay_background(
    files: Sequence[Path], seconds: float | None, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], pd.DataFrame]:
    """Join background in random order at one level, each file once or until there are enough seconds.

    Returns
    -------
    sound : (n,)
    pieces
        ``start, end, source``.
    """
    parts: list[npt.NDArray[np.float32]] = []
    rows, at = [], 0
    while seconds is None or at < seconds * RATE:
        for i in rng.permutation(len(files)):
            y, _ = read(files[i], RATE)
            y = y * np.float32(LEVEL / max(1e-6, float(np.sqrt(np.mean(np.square(y))))))
            parts.append(faded(y))
            rows.append((at / RATE, (at + len(y)) / RATE, files[i].name))
            at += len(y)
        if seconds is None:
            break
    sound = np.concatenate(parts)[: None if seconds is None else round(seconds * RATE)]
    return sound, pd.DataFrame(rows, columns=["start", "end", "source"])


def lay_calls(
    sound: npt.NDArray[np.float32], data: Path, calls: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Add calls to sound in random order, each at most three times: ``start, end, label, source``."""
    rows: list[tuple[float, float, str, str]] = []
    at = round(rng.uniform(*GAPS) * RATE)
    for i in np.concatenate([rng.permutation(len(calls)) for _ in range(3)]):
        call = calls.iloc[i]
        begin, stop = max(0.0, call["start"] - EDGE), call["end"] + EDGE
        y, _ = read(data / "nips4b" / call["path"], RATE, start=begin, end=stop)
        if at + len(y) > len(sound):
            break
        level = LEVEL * 10 ** (rng.uniform(*ABOVE) / 20)
        y = faded(y * np.float32(level / max(1e-6, float(np.sqrt(np.mean(np.square(y)))))))
        sound[at : at + len(y)] += y
        # calls of other classes that are heard with it are true, too
        same = calls[(calls["path"] == call["path"]) & (calls["start"] < stop) & (calls["end"] > begin)]
        for other in same.itertuples():
            first, last = max(begin, other.start), min(stop, other.end)
            if other.Index == i or last - first >= 0.5 * (other.end - other.start):
                offset = at / RATE - begin
                rows.append((first + offset, last + offset, str(other.label), str(call["path"])))
        at += len(y) + round(rng.uniform(*GAPS) * RATE)
    return pd.DataFrame(rows, columns=["start", "end", "label", "source"])


def faded(y: npt.NDArray[np.float32], seconds: float = 0.05) -> npt.NDArray[np.float32]:
    """Fade sound in and out."""
    n = min(round(seconds * RATE), len(y) // 2)
    ramp = np.ones(len(y), np.float32)
    if n:
        ramp[:n] = np.linspace(0, 1, n, dtype=np.float32)
        ramp[-n:] = ramp[:n][::-1]
    return y * ramp


def write_sound(path: Path, sound: npt.NDArray[np.float32]) -> None:
    part = path.with_suffix(".part.flac")
    soundfile.write(part, np.clip(sound, -1, 1), RATE, subtype="PCM_16", format="FLAC")
    part.replace(path)


def matched(events: pd.DataFrame, truth: pd.DataFrame, how: str) -> npt.NDArray[np.int64]:
    """Return the row of the truth that each event is matched with, -1 for none; (n_events,).

    Each is matched once, with one of its class: by the intersection over union of at least 0.3 (``how`` "iou"), or
    if the middle of the event is at most a second outside of the true one ("second"). Best ones are matched first.
    """
    out = np.full(len(events), -1)
    for label in events["label"].unique():
        rows = np.flatnonzero(events["label"] == label)
        true_rows = np.flatnonzero(truth["label"] == label)
        start, end = (events[name].to_numpy()[rows][:, None] for name in ("start", "end"))
        true_start, true_end = (truth[name].to_numpy()[true_rows][None] for name in ("start", "end"))
        if how == "iou":
            shared = np.minimum(end, true_end) - np.maximum(start, true_start)
            fit = np.maximum(shared, 0) / (np.maximum(end, true_end) - np.minimum(start, true_start))
            fit[fit < 0.3] = 0
        else:
            middle = (start + end) / 2
            outside = np.maximum(np.maximum(true_start - middle, middle - true_end), 0)
            fit = np.where(outside <= 1.0, 2.0 - outside, 0)
        while fit.size and fit.max() > 0:
            i, j = np.unravel_index(fit.argmax(), fit.shape)
            out[rows[i]] = true_rows[j]
            fit[i], fit[:, j] = 0, 0
    return out
