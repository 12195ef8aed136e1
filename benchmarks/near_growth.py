"""Growth of the search for near duplicates alone, on clips of a second: unrelated ones, and copies of one of them.

    python benchmarks/near_growth.py --most 60000 --folder /tmp/growth --output results

The clips are those of growth.py; their fingerprints are computed once. Copies differ in a tenth of the bits. Each
search is a process of its own; its core seconds and memory are those beyond reading the fingerprints.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

import _common
from _process import PEAK, memory_of
from aurist.audit.duplicates import connect_sets
from aurist.audit.fingerprint import Fingerprint, fingerprint
from aurist.audit.near import near_pairs
from aurist.audit.prints import PrintWriter
from growth import RATE, clip_path, make_clips

SIZES = {"unrelated": (1000, 3000, 10_000, 30_000, 60_000, 100_000), "copies": (1000, 2000, 4000, 8000)}
#: Share of the bits in which copies differ from the clip.
WRONG = 0.1


def fingerprints(folder: Path, n: int) -> Path:
    """Compute the fingerprints of the clips, (n, 2, frames), if the file has fewer."""
    path = folder / "prints.npy"
    if not path.exists() or len(np.load(path, mmap_mode="r")) < n:
        make_clips(folder, n)
        files = (clip_path(folder, number) for number in range(n))
        prints = (fingerprint(soundfile.read(file, dtype="float32")[0], RATE) for file in files)
        np.save(path, np.array([np.stack([one.code, one.reliable]) for one in prints]))
    return path


def of_kind(kind: str, path: Path, n: int) -> Iterator[npt.NDArray[np.uint64]]:
    """Yield code and reliable bits of each sound, (2, frames)."""
    rng = np.random.default_rng(0)
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        (_, _, frames), _, _ = np.lib.format.read_array_header_1_0(file)
        for number in range(n):
            if kind == "unrelated" or not number:
                one = np.frombuffer(file.read(16 * frames), dtype=np.uint64).reshape(2, frames)
            if kind == "unrelated":
                yield one
            else:
                wrong = np.packbits(rng.random((frames, 64)) < WRONG, axis=1).view(np.uint64).ravel()
                yield np.stack([one[0] ^ wrong, one[1]])


def search(kind: str, path: Path, n: int) -> dict[str, float]:
    """Measure one search."""
    with PrintWriter() as writer:
        for code, reliable in of_kind(kind, path, 50):
            writer.append(Fingerprint(code, reliable))
        near_pairs(writer.prints())  # loads the compiled loops
    with PrintWriter() as writer:
        for code, reliable in of_kind(kind, path, n):
            writer.append(Fingerprint(code, reliable))
        prints, before, began = (
            writer.prints(),
            sum(memory_of()[kind] for kind in ("RssAnon", "RssFile")),
            time.process_time(),
        )
        pairs = near_pairs(prints)
        seconds = time.process_time() - began
    sets = len(np.unique(connect_sets(n, pairs[["a", "b"]].to_numpy())))
    return {"core seconds": seconds, "MB": memory_of()[PEAK] - before, "pairs": len(pairs), "sets": sets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--most", type=int, default=30_000)
    parser.add_argument("--folder", type=Path, required=True, help="folder for the fingerprints")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--search", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        print(json.dumps(search(given.search[0], given.folder / "prints.npy", int(given.search[1]))))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    fingerprints(given.folder, given.most)
    figures = []
    for kind, sizes in SIZES.items():
        for n in (n for n in sizes if n <= given.most):
            command = [sys.executable, __file__, "--folder", str(given.folder), "--search", kind, str(n)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            figures.append({"kind": kind, "clips": n, **json.loads(out)})
            print(figures[-1], file=sys.stderr, flush=True)
    rows = []
    for one in figures:
        each = 1e6 * one["core seconds"] / one["clips"]
        cells = [f"{one['core seconds']:.2f}", f"{each:.0f}", f"{one['MB']:.0f}"]
        rows.append([str(one["kind"]), f"{one['clips']:,}", *cells, f"{one['pairs']:,}", f"{one['sets']:,}"])
    header = ["clips", "number", "core seconds", "microseconds a clip", "memory, MB", "pairs", "sets"]
    _common.publish("near_growth", _common.table(header, rows), figures, given.output)


if __name__ == "__main__":
    main()
