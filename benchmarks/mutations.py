"""Damaged inputs of every kind: only errors of aurist may come out, in time and within memory.

python benchmarks/mutations.py --total 60000 --output mutations   # continues if it was interrupted
python benchmarks/mutations.py --only "run folder" --first 17 --total 1 --output again   # one of them again
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from _common import table
from _mutated import mutated
from _mutation_targets import TARGETS, Target
from aurist.errors import AuristError

#: Limits of one input in seconds and bytes, and the number of inputs per process.
SECONDS, MEMORY, BATCH = 20, 2 << 30, 200
CLEAN, OURS, HANG, LARGE, CRASH = "clean", "error of ours", "HANG", "OVER 2 GB", "CRASH"


class Hang(BaseException):
    """An input took longer than allowed. No ``except Exception`` can hide it."""


def _expired(*_: object) -> None:
    raise Hang


def outcome(target: Target, folder: Path) -> tuple[str, str]:
    """Return the result of reading a folder: one of the outcomes, or the name of an exception; and its message."""
    signal.signal(signal.SIGALRM, _expired)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(folder)
    except AuristError as error:
        return OURS, str(error)
    except Hang:
        return HANG, f"over {SECONDS} s"
    except Exception as error:
        return type(error).__name__, "".join(traceback.format_exception(error)[-3:])
    finally:
        signal.alarm(0)
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > MEMORY:
        return LARGE, f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB"
    return CLEAN, ""


def damage(folder: Path, keep: tuple[str, ...], rng: np.random.Generator) -> str:
    """Damage or remove one file of a folder. Return a description."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    files = [path for path in files if not str(path.relative_to(folder)).startswith(keep)] if keep else files
    path = files[int(rng.integers(0, len(files)))]
    name = path.relative_to(folder)
    if len(files) > 1 and rng.random() < 0.04:
        path.unlink()
        return f"{name}: gone"
    if len(files) > 1 and rng.random() < 0.04:
        other = files[int(rng.integers(0, len(files)))]
        data = other.read_bytes()
        path.write_bytes(data)
        return f"{name}: is {other.relative_to(folder)}"
    how, data = mutated(path.read_bytes(), path.suffix, rng)
    path.write_bytes(data)
    return f"{name}: {how}"


def one(target: Target, whole: Path, number: int, seed: int) -> tuple[str, str, str]:
    """Return the outcome of one mutation, its description and the message. It depends only on its number and the
    seed.
    """
    rng = np.random.default_rng([seed, sum(target.name.encode()), number])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "in"
        shutil.copytree(whole, folder)
        done = damage(folder, target.keep, rng)
        kind, message = outcome(target, folder)
    return kind, done, message


def _batch(target: Target, whole: Path, numbers: list[int], seed: int, output: Path) -> None:
    """Write a line per mutation. Stop if the process has become larger than allowed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # Output of C libraries.
    os.fsync = lambda _: None  # type: ignore[assignment]
    with output.open("a") as lines:
        for number in numbers:
            lines.write(json.dumps({"begun": number}) + "\n")
            lines.flush()
            kind, done, message = one(target, whole, number, seed)
            bad = kind not in (CLEAN, OURS)
            record = {"number": number, "outcome": kind} | ({"done": done, "message": message} if bad else {})
            lines.write(json.dumps(record) + "\n")
            if kind == LARGE:
                return


def read(path: Path) -> dict[int, dict[str, Any]]:
    """Return the outcomes so far, by number."""
    records: dict[int, dict[str, Any]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            record = json.loads(line)
            if "outcome" in record:
                records[record["number"]] = record
    return records


def crashed(path: Path, code: int | None) -> None:
    """Record that the process of the last started mutation ended in a wrong way."""
    begun = [json.loads(line) for line in path.read_text().splitlines() if line.startswith('{"begun"')]
    record = {"number": begun[-1]["begun"], "outcome": CRASH, "done": "", "message": f"exit code {code}"}
    with path.open("a") as lines:
        lines.write(json.dumps(record) + "\n")


def run_target(target: Target, numbers: list[int], seed: int, output: Path, until: float) -> None:
    """Read the damaged inputs that are not in the file yet, in processes that may die, until the time is up."""
    forked = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary)
        target.make(whole)
        target.read(whole)  # Inputs that cannot be read intact are useless, and libraries are loaded once.
        while left := sorted(set(numbers) - set(read(output))):
            if time.monotonic() > until:
                return
            process = forked.Process(target=_batch, args=(target, whole, left[:BATCH], seed, output))
            process.start()
            while process.is_alive():
                size = output.stat().st_size if output.exists() else 0
                process.join(3 * SECONDS)
                if process.is_alive() and output.exists() and output.stat().st_size == size:
                    process.kill()  # It hangs in a library that no signal reaches.
            if process.exitcode:
                crashed(output, process.exitcode)


def shares(targets: list[Target], total: int) -> Iterator[tuple[Target, int]]:
    """Return the number of mutations of each kind."""
    whole = sum(target.share for target in targets)
    for target in targets:
        yield target, max(1, round(total * target.share / whole))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total", type=int, default=60_000, help="mutations of all kinds")
    parser.add_argument("--first", type=int, default=0, help="first number of each kind")
    parser.add_argument("--only", default="", help="only kinds whose name begins with this")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="stop after so many minutes; the same command continues"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for the outcomes")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * given.minutes
    rows, bad, n = [], [], 0
    for target, count in shares([t for t in TARGETS if t.name.startswith(given.only)], given.total):
        path = given.output / f"{target.name.replace(' ', '_').replace(':', '')}.jsonl"
        numbers = list(range(given.first, given.first + count))
        if time.monotonic() < until and not set(numbers) <= set(read(path)):
            run_target(target, numbers, given.seed, path, until)
        wanted = set(numbers)
        records = [record for number, record in read(path).items() if number in wanted]
        counts = Counter(record["outcome"] for record in records)
        n += len(records)
        rows.append(
            [
                target.name,
                f"{len(records):,}",
                f"{counts.pop(CLEAN, 0):,}",
                f"{counts.pop(OURS, 0):,}",
                ", ".join(f"{k} {v}" for k, v in counts.items()),
            ]
        )
        bad += [(target.name, record) for record in records if record["outcome"] not in (CLEAN, OURS)]
        print(f"{target.name}: {rows[-1][1:]}", file=sys.stderr, flush=True)
    print(table(["kind", "damaged", "read", "refused with aurist's error", "anything else"], rows))
    print(f"\n{n:,} mutations, seed {given.seed}: {len(bad):,} neither read nor refused")
    for name, record in bad[:200]:
        print(f"\n{name} {record['number']}: {record['outcome']} ({record['done']})\n{record['message']}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
