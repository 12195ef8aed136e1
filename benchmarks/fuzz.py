"""Damaged inputs of every kind: only errors of aurist may come out, in time and within memory.

Folders, such as runs, are one in a hundred of the inputs. The same command continues where it was interrupted.

TMPDIR=/dev/shm python benchmarks/fuzz.py --total 1000000 --output fuzz
python benchmarks/fuzz.py --only "run folder" --first 17 --each 1 --output again   # one of them again
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from _common import table

# other projects install packages of this name
sys.modules["tests"] = ModuleType("tests")
sys.modules["tests"].__path__ = [str(Path(__file__).parents[1] / "tests")]
from tests.fuzz.harness import CLEAN, CRASH, LARGE, OURS, SECONDS, Target, one, prepared  # noqa: E402
from tests.fuzz.targets import TARGETS  # noqa: E402

#: The share of folders in a total and, of each kind, beside a file; and the inputs of a process.
FOLDERS, FOLDERS_OF_EACH, BATCH = 0.01, 0.1, 500


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


def read(path: Path, begin: int = 0) -> dict[int, dict[str, Any]]:
    """Return the outcomes so far, from this byte on, by number."""
    records: dict[int, dict[str, Any]] = {}
    for line in path.read_bytes()[begin:].splitlines() if path.exists() else ():
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
        whole = prepared(target, Path(temporary))
        left = sorted(set(numbers) - set(read(output)))
        while left and time.monotonic() < until:
            process = forked.Process(target=_batch, args=(target, whole, left[:BATCH], seed, output))
            begin = output.stat().st_size if output.exists() else 0
            process.start()
            while process.is_alive():
                size = output.stat().st_size if output.exists() else 0
                process.join(3 * SECONDS)
                if process.is_alive() and output.exists() and output.stat().st_size == size:
                    process.kill()  # It hangs in a library that no signal reaches.
            if process.exitcode:
                crashed(output, process.exitcode)
            finished = read(output, begin)
            left = [number for number in left if number not in finished]


def counts(targets: list[Target], total: int, each: int | None) -> Iterator[tuple[Target, int]]:
    """Return the number of mutations of each kind."""
    for target in targets if each else ():
        of_kind = each * min(1.0, target.share) * (FOLDERS_OF_EACH if target.folder else 1)
        yield target, max(1, round(of_kind))
    for folder in (False, True) if not each else ():
        kinds = [target for target in targets if target.folder == folder]
        part = total * (FOLDERS if folder else 1 - FOLDERS) / max(1e-9, sum(kind.share for kind in kinds))
        yield from ((kind, max(1, round(part * kind.share))) for kind in kinds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--total", type=int, default=60_000, help="mutations of all kinds")
    parser.add_argument(
        "--each",
        type=int,
        help="of each kind of file, in place of a total; of folders a tenth, of slow kinds fewer",
    )
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
    chosen = [target for target in TARGETS if target.name.startswith(given.only)]
    for target, count in counts(chosen, given.total, given.each):
        path = given.output / f"{target.name.replace(' ', '_').replace(':', '')}.jsonl"
        numbers = list(range(given.first, given.first + count))
        wanted, begun = set(numbers), time.monotonic()
        if begun < until and not wanted <= set(read(path)):
            run_target(target, numbers, given.seed, path, until)
        records = [record for number, record in read(path).items() if number in wanted]
        outcomes = Counter(record["outcome"] for record in records)
        n += len(records)
        cells = [
            target.name,
            *(f"{c:,}" for c in (len(records), outcomes.pop(CLEAN, 0), outcomes.pop(OURS, 0))),
        ]
        rows.append([*cells, ", ".join(f"{k} {v}" for k, v in outcomes.items())])
        bad += [(target.name, record) for record in records if record["outcome"] not in (CLEAN, OURS)]
        print(f"{target.name}: {rows[-1][1:]} {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
    print(table(["kind", "damaged", "read", "refused with aurist's error", "anything else"], rows))
    print(f"\n{n:,} mutations, seed {given.seed}: {len(bad):,} neither read nor refused")
    for name, record in bad[:200]:
        print(f"\n{name} {record['number']}: {record['outcome']} ({record['done']})\n{record['message']}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
