"""The delay of each event when a source at 48 kHz, that waits for nobody, is followed live on one core for an hour.

The source sends calls of ESC-10 (official fold 5), at times that are written down, over rain and sea waves; the model
has learnt from the other folds. It is served over HTTP at its own speed, has begun before `aurist listen` is started,
and breaks off once. The delay is from the end of an event to its report: as the log states it, and by the clock of the
source, which `aurist listen` does not know. A call is reported if an event of its class touches it.

    taskset -c 0 python benchmarks/live.py --folder live --minutes 60 --break 30 20
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from _common import DATA
from _live import RATE, Sender, prepare

WINDOW, HOP = 1.5, 0.75
PLAN = '[[member]]\nname = "KernelRidge"\nengine = "kernel"\n'
#: Seconds between two lines of progress, and the most that an event and a call may lie apart.
REPORT, APART = 300.0, 1.0


def seconds_of_cpu(pid: int) -> float:
    """Seconds of processor time of a process, without those that it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def megabytes(pid: int) -> float:
    """Memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def fitted(folder: Path) -> Path:
    """Fit the detector, unless it is there."""
    run, plan = folder / "run", folder / "plan.toml"
    if not (run / "scores.json").exists():
        plan.write_text(PLAN)
        command = ["fit", folder / "recordings", "--annotations", folder / "tables", "--plan", plan]
        command += ["--window", WINDOW, "--hop", HOP, "--jobs", 1, "-o", run]
        subprocess.run([sys.executable, "-m", "aurist", *map(str, command)], check=True)
    return run


class Listener:
    """`aurist listen`, and when each of its events arrived, by the clock of the source."""

    def __init__(self, folder: Path, run: Path, sender: Sender) -> None:
        self.log = folder / "events.jsonl"
        self.log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "aurist", "listen", str(run), "--source", sender.url, "--jobs", "1"]
        command += ["--window", str(WINDOW), "--overlap", str(WINDOW - HOP), "--log", str(self.log)]
        with (folder / "messages.txt").open("w") as messages:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True)
        self.arrived: list[float] = []
        self.opened = 0.0
        self._sender = sender
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("listening"):
                self.opened = self._sender.now
            else:
                self.arrived.append(self._sender.now)

    def events(self, began: float) -> pd.DataFrame:
        """All events: their times by the clock of the source, the stated delay, and when each arrived."""
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        table = pd.DataFrame(rows[: len(self.arrived)])
        start = np.array([datetime.fromisoformat(clock).timestamp() for clock in table["clock"]]) - began
        return pd.DataFrame(
            {
                "start": start,
                "end": start + table["end"] - table["start"],
                "label": table["label"],
                "score": table["score"],
                "delay": table["delay"],
                "arrived": self.arrived[: len(table)],
            }
        )


def quantiles(name: str, values: npt.NDArray[np.float64]) -> str:
    """Write the median, the 99th percentile and the largest of some seconds."""
    middle, high = np.quantile(values, [0.5, 0.99])
    return f"{name}: median {middle:.2f} s, 99% {high:.2f} s, most {values.max():.2f} s"


def drift(when: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> float:
    """Give how much some seconds grow in an hour."""
    return float(np.polyfit(when / 3600, values, 1)[0])


def summary(events: pd.DataFrame, calls: pd.DataFrame, breaks: tuple[float, float]) -> list[str]:
    """Describe the delays, and which calls were reported."""
    by_clock = (events["arrived"] - events["end"]).to_numpy()
    lines = [
        quantiles("delay as stated", events["delay"].to_numpy()),
        quantiles("delay by the clock of the source", by_clock),
        f"growth in an hour: {drift(events['end'].to_numpy(), by_clock):+.3f} s",
    ]
    starts, ends = events["start"].to_numpy(), events["end"].to_numpy()
    labels, arrived = events["label"].to_numpy(), events["arrived"].to_numpy()
    since, late, shift = [], [], []
    for call in calls.itertuples():
        rows = np.flatnonzero((labels == call.label) & (starts < call.end) & (ends > call.start))
        if len(rows):
            since.append(call.start)
            late.append(arrived[rows[-1]] - call.end)
            shift.append((starts[rows[0]] + ends[rows[-1]] - call.start - call.end) / 2)
    lines.append(f"{len(late)} of {len(calls)} calls reported by {len(events)} events")
    lines.append(quantiles("end of a call to its report", np.array(late)))
    times, shifts = np.array(since), np.array(shift)
    for name, part in (("before", times < breaks[0]), ("after", times > breaks[1])):
        lines.append(
            f"middle of events against calls {name} the break: median {np.median(shifts[part]):+.2f} s"
        )
    gone = events.loc[events["start"] >= breaks[0], "start"].min()
    lines.append(f"down from {breaks[0]:.0f} to {breaks[1]:.0f} s; the next event begins at {gone:.1f} s")
    return lines


def main() -> None:
    """Follow the source, and print the delays."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=Path("live"))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--break", type=float, nargs=2, default=(30.0, 20.0), dest="broken", help="minute, and seconds"
    )
    given = parser.parse_args()
    prepare(given.folder, given.data, given.minutes)
    run = fitted(given.folder)
    first = 60 * given.broken[0]
    sender = Sender(given.folder / "stream.s16", (first, first + given.broken[1]))
    began = time.time()
    time.sleep(5)  # it waits for nobody
    listener = Listener(given.folder, run, sender)
    memory, cpu = [], 0.0
    while sender.now < sender.seconds:
        time.sleep(min(REPORT, max(0.1, sender.seconds - sender.now - 1)))
        cpu, size = seconds_of_cpu(listener.process.pid), megabytes(listener.process.pid)
        memory.append(size)
        print(
            f"{sender.now:6.0f} s: {len(listener.arrived)} events, {size:.0f} MB, {cpu:.0f} s of CPU",
            flush=True,
        )
        if sender.seconds - sender.now < 2:
            break
    listener.process.terminate()
    listener.process.wait()
    events = listener.events(began)
    events.to_csv(given.folder / "followed.csv", index=False)
    calls = pd.read_csv(given.folder / "calls.csv")
    opened = listener.opened
    down = (calls["end"] > sender.breaks[0]) & (calls["start"] < sender.breaks[1])
    calls = calls[(calls["start"] > opened + 1) & (calls["end"] < sender.seconds - 5) & ~down]
    print("\n".join(summary(events, calls, sender.breaks)))
    print(
        f"{(sender.seconds - opened) / 60:.1f} minutes at {RATE} Hz; {cpu / (sender.seconds - opened):.1%} of a core; "
        f"memory {memory[0]:.0f} to {max(memory):.0f} MB"
    )


if __name__ == "__main__":
    main()
