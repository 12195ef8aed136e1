"""Every command killed at every moment of writing and at SQLite's statements, with full disks, and without permission.

    TMPDIR=/dev/shm python benchmarks/faults.py --output faults   # continues if it was interrupted

After each fault the command is given again (or `aurist resume`): it must end with the files of an undisturbed one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType

from _common import table

# other projects install packages of this name
sys.modules["tests"] = ModuleType("tests")
sys.modules["tests"].__path__ = [str(Path(__file__).parents[1] / "tests")]
from tests.faults import cases, harness  # noqa: E402
from tests.faults.harness import (  # noqa: E402
    FULL,
    KILL,
    NEVER,
    READ_ONLY,
    SIZE,
    SMALL,
    STATEMENT,
    WORKER,
    Case,
    Ended,
    Server,
)

KINDS = (KILL, FULL, SMALL, READ_ONLY, STATEMENT, SIZE, WORKER)
#: Bytes of a file on a small disk; what a command prints is a file, too.
SIZES = (4000, 16_000)
#: Bytes at which a file's growth kills: in SQLite's log of 32 bytes and of 24 + 4096 for each page, before a page, in
#: the head of a page, in the middle of a page, and behind many pages.
GROWN = (32, 4160, 6000, 16_512, 30_000)
#: A worker process that fits a fold has at most so many moments.
MOMENTS_OF_A_FOLD = 24


def tried(server: Server, case: Case, data: Path, whole: dict[str, bytes], kind: str, at: int) -> list[str]:
    """Try a fault; return the problems."""
    if kind != READ_ONLY:
        return harness.fault_problems(server, case, data, whole, kind, at, "out")
    ended = harness.run_read_only(server, case, data, "out")
    return harness.message_problems(ended) if ended.status else ["wrote where it may not"]


def faults_of(case: Case, moments: int, statements: int, every: int) -> list[tuple[str, int]]:
    """List the faults of a case that has so many moments and statements."""
    if case == cases.IN_WORKERS:
        return [(WORKER, at) for at in range(0, MOMENTS_OF_A_FOLD, every)]
    faults = [(kind, at) for kind in (KILL, FULL) for at in range(0, moments, every)]
    faults += [(SMALL, size) for size in SIZES] + [(READ_ONLY, 0)]
    faults += [(STATEMENT, at) for at in range(0, statements, every)]
    return faults + [(SIZE, size) for size in GROWN if statements]


def intact_run(server: Server, case: Case, folder: Path, cached: bool = True) -> Ended:
    """Run a case without a fault."""
    if not cached:
        harness.clear_cache(folder)
    fault = (WORKER, NEVER) if case == cases.IN_WORKERS else ()
    ended = harness.run_case(server, case, folder, "out", *fault)
    if ended.status:
        sys.exit(f"{case.name}: {ended.text}")
    return ended


def campaign(given: argparse.Namespace) -> list[dict[str, object]]:
    """Try all faults that are not in the record yet."""
    record = given.output / "faults.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    done = {(line["case"], line["kind"], line["at"]) for line in lines}
    all_cases = (*cases.CASES, cases.SERVE, cases.ONNX, cases.IN_WORKERS)
    chosen = [case for case in all_cases if case.name.startswith(tuple(given.only or ("",)))]
    with tempfile.TemporaryDirectory() as temporary, harness.serving(Path(temporary) / "server") as server:
        folder, intact = Path(temporary) / "data", Path(temporary) / "intact"
        cases.make(folder, server, networks=cases.ONNX in chosen)
        shutil.copytree(folder, intact)
        for case in chosen:
            harness.reset(folder, intact)
            statements = intact_run(server, case, folder, cached=False).statements
            harness.reset(folder, intact)
            moments = intact_run(server, case, folder).moments
            whole = harness.content(case, folder / case.output("out"))
            print(f"{case.name}: {moments} moments, {statements} statements", file=sys.stderr, flush=True)
            for kind, at in faults_of(case, moments, statements, given.every):
                if (case.name, kind, at) in done or kind not in (given.kind or KINDS):
                    continue
                harness.reset(folder, intact)
                problems = tried(server, case, folder, whole, kind, at)
                lines.append({"case": case.name, "kind": kind, "at": at, "problems": problems})
                with record.open("a") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
                if problems:
                    print(lines[-1], file=sys.stderr, flush=True)
    return [line for line in lines if line["case"] in {case.name for case in chosen}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="try every n-th moment only")
    parser.add_argument(
        "--only", nargs="+", type=str, help="only commands whose names begin with one of these"
    )
    parser.add_argument("--kind", nargs="+", choices=KINDS, help="only these kinds of faults")
    parser.add_argument("--output", type=Path, required=True, help="folder for the outcomes")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    lines = campaign(given)
    counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        counts[str(line["case"])][str(line["kind"])] += 1
        counts[str(line["case"])]["wrong"] += bool(line["problems"])
    columns = (*KINDS, "wrong")
    rows = [[case, *(str(of_case[column]) for column in columns)] for case, of_case in counts.items()]
    text = table(["command", *columns], rows)
    print(text)
    (given.output / "faults.md").write_text(text + "\n")
    sys.exit(any(line["problems"] for line in lines))


if __name__ == "__main__":
    main()
