"""A long stream with calls at known times, made of ESC-10, and a source over HTTP that waits for no listener."""

from __future__ import annotations

import http.server
import struct
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile

from aurist.audio import read

RATE = 48_000
CALLS = ("Baby cry", "Dog bark", "Person sneeze", "Rooster")
BACKGROUND = ("Rain", "Sea waves")
#: Level of the background, and the range of a call's level above it in dB; seconds between two calls.
LEVEL, ABOVE, GAPS = 0.01, (12.0, 20.0), (4.0, 10.0)
#: A call is the part of a clip within so many dB of its loudest 50 ms.
RANGE, FRAME = 25.0, 0.05
#: Seconds between two pieces that the source sends.
TICK = 0.05

Sound = npt.NDArray[np.float32]


def prepare(folder: Path, data: Path, minutes: float) -> None:
    """Write what is learnt from (four official folds) and the stream (the fifth), unless they are there."""
    if (folder / "calls.csv").exists():
        return
    clips = pd.read_csv(data / "esc10" / "labels.csv")
    rng = np.random.default_rng(0)
    for name in ("recordings", "tables"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for fold in range(1, 5):
        sound, calls = laid(data, clips[clips["fold"] == fold], 240.0, rng)
        soundfile.write(folder / "recordings" / f"{fold}.flac", sound, RATE)
        columns = {"start": "Begin Time (s)", "end": "End Time (s)", "label": "Species"}
        table = calls.rename(columns=columns)
        table.insert(0, "Selection", range(1, len(table) + 1))
        table.to_csv(folder / "tables" / f"{fold}.Table.1.selections.txt", sep="\t", index=False)
    parts = []
    with (folder / "stream.s16").open("wb") as file:
        for minute in range(round(minutes)):
            sound, calls = laid(data, clips[clips["fold"] == 5], 60.0, rng)
            np.rint(sound * 32767).astype("<i2").tofile(file)
            parts.append(calls.assign(start=calls["start"] + 60 * minute, end=calls["end"] + 60 * minute))
    pd.concat(parts).to_csv(folder / "calls.csv", index=False)


def laid(
    data: Path, clips: pd.DataFrame, seconds: float, rng: np.random.Generator
) -> tuple[Sound, pd.DataFrame]:
    """Lay calls over background: the sound, and ``start, end, label`` of the calls in seconds."""
    calm = clips.loc[clips["label"].isin(BACKGROUND), "path"].tolist()
    sound = joined([level(wave(data, path), LEVEL) for path in rng.permutation(calm)], round(seconds * RATE))
    rows = []
    at = round(rng.uniform(*GAPS) * RATE)
    calling = clips[clips["label"].isin(CALLS)]
    while True:
        clip = calling.iloc[rng.integers(len(calling))]
        y = active(wave(data, clip["path"]))
        if at + len(y) > len(sound):
            return np.clip(sound, -1, 1), pd.DataFrame(rows, columns=["start", "end", "label"])
        sound[at : at + len(y)] += level(y, LEVEL * 10 ** (rng.uniform(*ABOVE) / 20))
        rows.append((at / RATE, (at + len(y)) / RATE, clip["label"]))
        at += len(y) + round(rng.uniform(*GAPS) * RATE)


def wave(data: Path, path: str) -> Sound:
    return read(data / "esc10" / path, RATE)[0]


def level(y: Sound, rms: float) -> Sound:
    return (y * np.float32(rms / max(1e-6, float(np.sqrt(np.mean(np.square(y))))))).astype(np.float32)


def joined(parts: Sequence[Sound], n: int) -> Sound:
    once = np.concatenate(parts)
    return np.tile(once, -(-n // len(once)))[:n]


def active(y: Sound) -> Sound:
    """Cut a clip to what sounds in it."""
    size = round(FRAME * RATE)
    power = np.square(y[: len(y) // size * size].reshape(-1, size)).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-RANGE / 10))
    return y[loud[0] * size : (loud[-1] + 1) * size]


class Sender:
    """Sends a file of samples at its own speed to whoever connects, from what sounds now on.

    Parameters
    ----------
    path
        Samples of 16 bits and one channel at `RATE`.
    breaks
        Start and end of the time in which it is down, in seconds since its begin.
    """

    def __init__(self, path: Path, breaks: tuple[float, float]) -> None:
        self.sound, self.breaks = np.memmap(path, "<i2", "r"), breaks
        self.began = time.monotonic()
        self.seconds = len(self.sound) / RATE
        sender = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sender.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/stream.wav"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def now(self) -> float:
        """The second of the stream that sounds now."""
        return time.monotonic() - self.began

    @property
    def down(self) -> bool:
        return self.breaks[0] <= self.now < self.breaks[1] or self.now >= self.seconds

    def answer(self, client: http.server.BaseHTTPRequestHandler) -> None:
        """Send a header of unknown length, then sound until the client goes, or the source breaks off."""
        if self.down:
            client.send_error(503)
            return
        client.send_response(200)
        client.send_header("Content-Type", "audio/wav")
        client.end_headers()
        endless = 0xFFFFFFFF
        form = struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
        header = (
            b"RIFF" + struct.pack("<I", endless) + b"WAVEfmt " + form + b"data" + struct.pack("<I", endless)
        )
        sent = int(self.now * RATE)
        try:
            client.wfile.write(header)
            while not self.down:
                now = int(self.now * RATE)
                client.wfile.write(self.sound[sent:now].tobytes())
                sent = now
                time.sleep(TICK)
        except OSError:  # the client has gone
            return
