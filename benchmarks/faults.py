"""Every command killed at every moment of writing, with a full disk from each moment on, and without permission.

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
from tests.faults.harness import FULL, KILL, NEVER, READ_ONLY, SMALL, WORKER, Case, Server  # noqa: E402

#: Bytes of a file on a small disk; what a command prints is a file, too.
SIZES = (4000, 16_000)
#: A worker process that fits a fold has at most so many moments.
MOMENTS_OF_A_FOLD = 24


def tried(server: Server, case: Case, data: Path, whole: dict[str, bytes], kind: str, at: int) -> list[str]:
    """Try a fault; return the problems."""
    if kind != READ_ONLY:
        return harness.fault_problems(server, case, data, whole, kind, at, "out")
    ended = harness.run_read_only(server, case, data, "out")
    return harness.message_problems(ended) if ended.status else ["wrote where it may not"]


def campaign(given: argparse.Namespace) -> list[dict[str, object]]:
    """Try all faults that are not in the record yet."""
    record = given.output / "faults.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    done = {(line["case"], line["kind"], line["at"]) for line in lines}
    chosen = [case for case in (*cases.CASES, cases.IN_WORKERS) if case.name.startswith(given.only)]
    with tempfile.TemporaryDirectory() as temporary, harness.serving(Path(temporary) / "server") as server:
        folder, intact = Path(temporary) / "data", Path(temporary) / "intact"
        cases.make(folder, server)
        shutil.copytree(folder, intact)
        for case in chosen:
            harness.reset(folder, intact)
            in_workers = case == cases.IN_WORKERS
            fault = (WORKER, NEVER) if in_workers else ()
            ended = harness.run_case(server, case, folder, "out", *fault)
            if ended.status:
                sys.exit(f"{case.name}: {ended.text}")
            whole = harness.content(case, folder / case.output("out"))
            moments = range(0, ended.moments, given.every)
            faults = [(KILL, at) for at in moments] + [(FULL, at) for at in moments]
            faults += [(SMALL, size) for size in SIZES] + [(READ_ONLY, 0)]
            if in_workers:
                faults = [(WORKER, at) for at in range(0, MOMENTS_OF_A_FOLD, given.every)]
            for kind, at in faults:
                if (case.name, kind, at) not in done:
                    harness.reset(folder, intact)
                    problems = tried(server, case, folder, whole, kind, at)
                    lines.append({"case": case.name, "kind": kind, "at": at, "problems": problems})
                    with record.open("a") as file:
                        file.write(json.dumps(lines[-1]) + "\n")
                    if problems:
                        print(lines[-1], file=sys.stderr, flush=True)
            print(f"{case.name}: {ended.moments} moments", file=sys.stderr, flush=True)
    return [line for line in lines if line["case"] in {case.name for case in chosen}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="try every n-th moment only")
    parser.add_argument("--only", default="", help="only commands whose name begins with this")
    parser.add_argument("--output", type=Path, required=True, help="folder for the outcomes")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    lines = campaign(given)
    counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        counts[str(line["case"])][str(line["kind"])] += 1
        counts[str(line["case"])]["wrong"] += bool(line["problems"])
    kinds = [KILL, FULL, SMALL, READ_ONLY, WORKER, "wrong"]
    rows = [[case, *(str(of_case[kind]) for kind in kinds)] for case, of_case in counts.items()]
    text = table(["command", *kinds], rows)
    print(text)
    (given.output / "faults.md").write_text(text + "\n")
    sys.exit(any(line["problems"] for line in lines))


if __name__ == "__main__":
    main()
