"""The delay of each event when a stream of an hour at 48 kHz is followed live on one core.

The stream is a recording that ffmpeg sends at its own speed. The delay is from the end of an event to its report by
`aurist listen`, with the time to compute: once as the log states it, and once by the clock of this command.

    taskset -c 0 python benchmarks/live.py RUN RECORDING --window 3 --minutes 60
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RATE = 48_000


def seconds_of_cpu(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def megabytes(pid: int) -> float:
    """Memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Follow the stream, and print the delays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("recording", type=Path, help="it is repeated until the time is over")
    parser.add_argument("--window", type=float, default=3.0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--min-score", type=float, default=0.5)
    given = parser.parse_args()
    send = [
        *(
            "ffmpeg",
            "-loglevel",
            "error",
            "-nostdin",
            "-re",
            "-stream_loop",
            "-1",
            "-i",
            str(given.recording),
        ),
        *("-t", str(60 * given.minutes), "-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"),
    ]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(send, stdout=subprocess.PIPE) as sender:
        log = Path(folder) / "events.jsonl"
        listen = [
            *(
                sys.executable,
                "-m",
                "aurist",
                "listen",
                str(given.run),
                "--source",
                "-",
                "--raw-rate",
                str(RATE),
            ),
            *("--window", str(given.window), "--min-score", str(given.min_score), "--jobs", "1"),
            *("--log", str(log), "--clips", str(Path(folder) / "clips")),
        ]
        with subprocess.Popen(
            listen, stdin=sender.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as listener:
            assert listener.stdout is not None
            arrived, memory, used = [], [], 0.0
            for _ in listener.stdout:
                arrived.append(time.time())
                memory.append(megabytes(listener.pid))
                used = seconds_of_cpu(listener.pid)
        events = [json.loads(line) for line in log.read_text().splitlines()]
    if len(events) < 3:
        raise SystemExit(f"There were {len(events)} events: lower --min-score, or take another recording.")
    stated = np.array([event["delay"] for event in events[:-1]])  # the last one is cut by the end
    ends = np.array([event["end"] for event in events[:-1]])
    # by this clock, but for the begin of the stream, which is that of the least late event
    by_clock = np.array(arrived[: len(ends)]) - ends
    late = by_clock - by_clock.min() + stated.min()
    for name, values in (("stated", stated), ("by clock", late)):
        quantiles = np.quantile(values, [0.5, 0.95, 1.0])
        print(f"{name}: median {quantiles[0]:.2f} s, 95% {quantiles[1]:.2f} s, most {quantiles[2]:.2f} s")
    half = len(stated) // 2
    print(f"first half {stated[:half].mean():.2f} s, second half {stated[half:].mean():.2f} s on average")
    print(
        f"{len(events)} events in {ends.max() / 60:.1f} minutes; {used / ends.max():.1%} of a core; "
        f"memory {memory[len(memory) // 10]:.0f} to {max(memory):.0f} MB"
    )


if __name__ == "__main__":
    main()
