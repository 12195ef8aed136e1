"""Requests a second and waiting times of `aurist serve`, against the same model in a plain handler with two workers.

    python benchmarks/serving.py RUN CLIP.wav --seconds 20
    python benchmarks/serving.py RUN CLIP.wav --laps 20  # the memory of aurist serve alone, after each 1,000 requests

Both servers have the same cores and take turns; each client sends one clip after the other. Clips of laps are cut to
half a second.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
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
from pathlib import Path

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
    text = connection.getresponse().read().decode()
    found = re.findall(r'^aurist_cpu_seconds_total\{part="(\w+)"\} (\S+)', text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def write_shares(parts: dict[str, float], server: float, clients: float, cores_seconds: float) -> None:
    """Print the share of all cores that each part filled."""
    rest = server - sum(parts.values())
    shares = {**parts, "rest of the server": rest, "clients": clients}
    shares["idle, or taken by others"] = cores_seconds - server - clients
    words = ", ".join(f"{name} {value / cores_seconds:.1%}" for name, value in shares.items())
    front = sum(parts.values())
    print(f"  shares of {len(os.sched_getaffinity(0))} cores: {words}")
    print(
        f"  front end and models: {front / cores_seconds:.1%} of the cores, "
        f"{front / (cores_seconds - clients):.1%} of what the clients leave",
        flush=True,
    )


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


def main() -> None:
    """Measure both servers in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--laps", type=int, default=0)
    given = parser.parse_args()
    import io

    import soundfile

    y, rate = soundfile.read(given.clip, dtype="float32", always_2d=True)
    y = y[:, 0] if not given.laps else y[: rate // 2, 0]
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(20):
        file = io.BytesIO()
        soundfile.write(file, np.clip(y + rng.normal(0, 1e-3, y.shape), -1, 1), rate, format="WAV")
        clips.append(file.getvalue())
    rows = []
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        (Path(other) / "plain.py").write_text(PLAIN)
        run = str(given.run.resolve())
        ours = [
            sys.executable,
            "-m",
            "aurist",
            "serve",
            run,
            "--port",
            "8931",
            "--state",
            str(Path(one) / "state"),
        ]
        plain = [
            sys.executable,
            "-m",
            "uvicorn",
            "plain:app",
            "--port",
            "8932",
            "--workers",
            "2",
            "--log-level",
            "error",
        ]
        if given.laps:
            with process(ours, Path(one)) as first:
                wait_for(8931)
                laps(8931, first.pid, clips, given.laps)
            return
        with process(ours, Path(one)) as first, process(plain, Path(other), RUN=run) as second:
            servers = (("aurist serve", 8931, first), ("plain, 2 workers", 8932, second))
            for _, port, _server in servers:
                wait_for(port)
                load(port, clips, 2, 3.0)  # both have loaded their models
            for clients in given.clients:
                times: dict[str, list[float]] = {name: [] for name, *_ in servers}
                refusals, taken = dict.fromkeys(times, 0), dict.fromkeys(times, 0.0)
                parts, own, wall = dict.fromkeys(("decode", "features", "models"), 0.0), 0.0, 0.0
                for _ in range(given.rounds):
                    for name, port, server in servers:
                        before, parts_before = processor_seconds(server.pid), parts_of(8931)
                        own_before, began = time.process_time(), time.monotonic()
                        answered, refused = load(port, clips, clients, given.seconds)
                        if name == "aurist serve":
                            wall += time.monotonic() - began
                            own += time.process_time() - own_before
                            now = parts_of(port)
                            parts = {part: parts[part] + now[part] - parts_before[part] for part in parts}
                        taken[name] += processor_seconds(server.pid) - before
                        times[name] += answered
                        refusals[name] += refused
                for name, _, server in servers:
                    values = np.array(times[name])
                    row = {
                        "server": name,
                        "clients": clients,
                        "requests_per_second": len(values) / given.seconds / given.rounds,
                        "p50": float(np.quantile(values, 0.5)),
                        "p99": float(np.quantile(values, 0.99)),
                        "processor_ms": 1000 * taken[name] / len(values),
                        "refused": refusals[name],
                        "megabytes": memory(server.pid),
                    }
                    if name == "aurist serve":
                        cores = len(os.sched_getaffinity(0)) * wall
                        row["front_end_and_models"] = sum(parts.values()) / cores
                    rows.append(row)
                    print(
                        "  ".join(
                            f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
                            for key, value in row.items()
                        ),
                        flush=True,
                    )
                    if name == "aurist serve":
                        write_shares(parts, taken[name], own, cores)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
