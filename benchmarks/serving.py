"""Requests a second and waiting times of `aurist serve`, against the same model in a plain handler with two workers.

    python benchmarks/serving.py RUN CLIP.wav --seconds 20  # and the share of all cores that each part fills
    python benchmarks/serving.py RUN CLIP.wav --laps 20  # the memory of aurist serve alone, after each 1,000 requests

Both servers have the same cores and take turns; each client sends one clip after the other. Clips of laps are cut to
half a second.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import itertools
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

#: The plain server: what one writes first with FastAPI and the Python API.
PLAIN = """
import tempfile, aurist
from fastapi import FastAPI, Request
import os
run, app = aurist.load(os.environ["RUN"]), FastAPI()
from fastapi import UploadFile

@app.post("/v1/predict")
def predict(files: UploadFile):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(files.file.read())
        file.flush()
        return run.predict_proba([file.name]).iloc[0].to_dict()

@app.get("/health")
def health():
    return {}
"""


@contextlib.contextmanager
def process(command: list[str], folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server in a folder of its own, with a cache of its own."""
    given = {**os.environ, "AURIST_CACHE_DIR": str(folder / "cache"), **environment}
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=given, text=True, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield server
        finally:
            os.killpg(server.pid, 15)
            server.wait()


def wait_for(port: int) -> None:
    """Wait until a server answers."""
    for _ in range(600):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise SystemExit("The server does not answer.")


#: Makes each clip that is sent another one, so that no store of features answers.
_NUMBERS = itertools.count()


def body_of(clip: bytes) -> tuple[bytes, dict[str, str]]:
    """A form with one file, whose last two samples nobody has sent yet."""
    clip = clip[:-4] + struct.pack("<I", next(_NUMBERS))
    boundary = "x" * 24
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
    body = head.encode() + clip + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def load(
    port: int, clips: list[bytes], clients: int, seconds: float = math.inf, requests: int = 1 << 60
) -> tuple[list[float], int]:
    """Give the waiting times of the answers, and the number of refusals; stop after a time, or so many answers."""
    until, times, refused = time.monotonic() + seconds, [], [0]

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        turn = number
        while time.monotonic() < until and len(times) < requests:
            body, headers = body_of(clips[turn % len(clips)])
            turn += clients
            began = time.monotonic()
            connection.request("POST", "/v1/predict", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                times.append(time.monotonic() - began)
            else:
                refused[0] += 1
                time.sleep(float(answer.headers.get("Retry-After", "1")))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, refused[0]


def family(pid: int) -> set[int]:
    """A process and all that it started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
    members = {pid}
    while more := {child for child, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def processor_seconds(pid: int) -> float:
    """Seconds of a core that a process and all that it started have taken."""
    ticks = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def parts_of(port: int) -> dict[str, float]:
    """Seconds of processor time of each part, as `aurist serve` counts them; the model is a part."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    text = answer.read().decode() if answer.status == 200 else ""  # the plain server has none
    found = re.findall(r'^aurist_cpu_seconds_total\{part="(\w+)"\} (\S+)', text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def memory(pid: int) -> float:
    """Megabytes of a process and of all that it started; what several share counts once."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            shares = Path(f"/proc/{member}/smaps_rollup").read_text()
            total += sum(int(match) for match in re.findall(r"^Pss:\s+(\d+)", shares, re.MULTILINE))
    return total / 1024


def laps(port: int, pid: int, clips: list[bytes], number: int) -> None:
    """Print the memory after each thousand of requests from 16 clients."""
    for lap in range(1, number + 1):
        began = time.monotonic()
        times, refused = load(port, clips, 16, requests=1000)
        speed = len(times) / (time.monotonic() - began)
        print(f"lap {lap}: {memory(pid):.1f} MB, {speed:.1f} requests/s, {refused} refused", flush=True)


def clips_of(path: Path, seconds: float | None) -> list[bytes]:
    """Make twenty WAV files of a clip, with a little noise in each; cut them to some seconds."""
    import soundfile

    y, rate = soundfile.read(path, dtype="float32", always_2d=True)
    y = y[: None if seconds is None else round(seconds * rate), 0]
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(20):
        file = io.BytesIO()
        soundfile.write(file, np.clip(y + rng.normal(0, 1e-3, y.shape), -1, 1), rate, format="WAV")
        clips.append(file.getvalue())
    return clips


@dataclass
class Tally:
    """What one server did in its turns."""

    port: int
    pid: int
    times: list[float] = field(default_factory=list)
    refused: int = 0
    taken: float = 0.0
    clients: float = 0.0
    wall: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    def turn(self, clips: list[bytes], clients: int, seconds: float) -> None:
        """Load the server for some seconds, and count."""
        parts, taken = parts_of(self.port), processor_seconds(self.pid)
        own, began = time.process_time(), time.monotonic()
        times, refused = load(self.port, clips, clients, seconds)
        self.wall += time.monotonic() - began
        self.clients += time.process_time() - own
        self.taken += processor_seconds(self.pid) - taken
        for name, value in parts_of(self.port).items():
            self.parts[name] = self.parts.get(name, 0.0) + value - parts.get(name, 0.0)
        self.times += times
        self.refused += refused

    def row(self, name: str, clients: int) -> dict[str, Any]:
        values = np.array(self.times)
        return {
            "server": name,
            "clients": clients,
            "requests_per_second": len(values) / self.wall,
            "p50": float(np.quantile(values, 0.5)),
            "p99": float(np.quantile(values, 0.99)),
            "processor_ms": 1000 * self.taken / len(values),
            "refused": self.refused,
            "megabytes": memory(self.pid),
            "shares": self.shares(),
        }

    def shares(self) -> dict[str, float]:
        """Give the share of the cores that each part filled; only `aurist serve` tells its parts."""
        known = self.parts if sum(self.parts.values()) else {}
        shares = {**known, "rest of the server": self.taken - sum(known.values()), "clients": self.clients}
        cores = len(os.sched_getaffinity(0)) * self.wall
        shares["idle, or taken by others"] = cores - self.taken - self.clients
        return {name: value / cores for name, value in shares.items()}


def write(row: dict[str, Any]) -> None:
    """Print the figures of a server, and the share of the cores that its front end and models filled."""
    shares = row["shares"]
    figures = {key: value for key, value in row.items() if key != "shares"}
    words = (
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in figures.items()
    )
    print("  ".join(words))
    print("  of all cores: " + ", ".join(f"{name} {value:.1%}" for name, value in shares.items()))
    if "models" in shares:
        front = shares["decode"] + shares["features"] + shares["models"]
        server = front + shares["rest of the server"]
        print(
            f"  front end and models: {front:.1%} of all cores, {front / (1 - shares['clients']):.1%} without the "
            f"clients, {front / server:.1%} of what the server took"
        )
    sys.stdout.flush()


def main() -> None:
    """Measure both servers in turn, and print their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--laps", type=int, default=0)
    given = parser.parse_args()
    clips = clips_of(given.clip, 0.5 if given.laps else None)
    run = str(given.run.resolve())
    python = [sys.executable, "-m"]
    rows = []
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        state = str(Path(one) / "state")
        ours = [*python, "aurist", "serve", run, "--port", "8931", "--state", state]
        plain = [*python, "uvicorn", "plain:app", "--port", "8932", "--workers", "2", "--log-level", "error"]
        (Path(other) / "plain.py").write_text(PLAIN)
        if given.laps:
            with process(ours, Path(one)) as first:
                wait_for(8931)
                laps(8931, first.pid, clips, given.laps)
            return
        with process(ours, Path(one)) as first, process(plain, Path(other), RUN=run) as second:
            servers = {"aurist serve": (8931, first.pid), "plain, 2 workers": (8932, second.pid)}
            for port, _ in servers.values():
                wait_for(port)
                load(port, clips, 2, 3.0)  # both have loaded their models
            for clients in given.clients:
                tallies = {name: Tally(*server) for name, server in servers.items()}
                for _ in range(given.rounds):
                    for tally in tallies.values():
                        tally.turn(clips, clients, given.seconds)
                for name, tally in tallies.items():
                    rows.append(tally.row(name, clients))
                    write(rows[-1])
                ratio = rows[-2]["requests_per_second"] / rows[-1]["requests_per_second"]
                print(f"  ratio with {clients} clients: {ratio:.2f}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
