"""Cost of the lists of an archive, without its sound: 10,000 to 1,000,000 recordings, and by these 10 million.

    python benchmarks/manifest.py --output results

The list of recordings is read and cut into a shard, as each job of an array does; the journal of a scan is
replayed, as a scan that continues does; the keys of stored features are looked up. Each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import _common


def read_list(folder: Path, n: int) -> None:
    """Read a table of recordings, and take a shard of it."""
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.detection.sharding import begin_shard

    clips = read_clips(folder / "list.csv", ReadOptions(), labelled=False)
    assert len(begin_shard("1/1000", clips, folder / "part")) == -(-n // 1000)


def replay_journal(folder: Path, n: int) -> None:
    """Open a folder of detections."""
    from aurist.detection.store import Detections

    assert len(Detections(folder / "found", {}).lengths()) == n


def look_up(folder: Path, n: int) -> None:
    """Find the stored features of 10,000 clips among n."""
    from aurist.features.cache import FeatureCache

    cache = FeatureCache(folder)
    for number in np.random.default_rng(0).integers(0, n, 10_000).tolist():
        assert cache.get(number.to_bytes(16, "big"), 725) is not None
    cache.close()


STEPS = {"list": read_list, "journal": replay_journal, "features": look_up}


def make(folder: Path, n: int, step: str) -> None:
    """Write what a step reads."""
    if step == "list":
        pd.DataFrame({"path": [f"site{i % 50}/2025/{i:08}.flac" for i in range(n)]}).to_csv(
            folder / "list.csv", index=False
        )
    elif step == "journal":
        from aurist.files import write_json

        (folder / "found").mkdir()
        write_json(folder / "found" / "settings.json", {})
        with (folder / "found" / "journal.jsonl").open("w") as file:
            for i in range(n):
                name = f"site{i % 50}/2025/{i:08}.flac"
                began = {"event": "began", "recording": name, "stamp": [1, 2], "file": f"/archive/{name}"}
                block = {
                    "event": "block",
                    "recording": name,
                    "block": 0,
                    "silenced": [],
                    "seconds": 60.0,
                    "note": "",
                }
                file.write(json.dumps(began) + "\n" + json.dumps(block) + "\n")
    else:
        from aurist.features.cache import FeatureCache

        cache, vector = FeatureCache(folder), np.zeros(725, np.float32)
        for i in range(n):
            cache.put(i.to_bytes(16, "big"), vector)
        cache.commit()
        cache.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        step, folder, n = given.inside
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.process_time()
        STEPS[step](Path(folder), int(n))
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([time.process_time() - began, most - before]))
        return
    rows, figures = [], []
    for step in STEPS:
        for n in (10_000, 100_000, 1_000_000):
            if n > given.most or (step == "features" and n > 100_000):
                continue
            with tempfile.TemporaryDirectory() as temporary:
                make(Path(temporary), n, step)
                command = [sys.executable, __file__, "--inside", step, temporary, str(n)]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                size = sum(file.stat().st_size for file in Path(temporary).rglob("*") if file.is_file()) / 1e6
            seconds, memory = json.loads(out.splitlines()[-1])
            figures.append({"step": step, "n": n, "core seconds": seconds, "MB": memory, "disk MB": size})
            rows.append([step, f"{n:,}", f"{seconds:.1f}", f"{memory:,.0f}", f"{size:,.1f}"])
            print(rows[-1], file=sys.stderr, flush=True)
        last = figures[-1]
        scale = 10_000_000 / last["n"]
        cells = [f"{last[key] * scale:,.0f}" for key in ("core seconds", "MB", "disk MB")]
        if step == "features":  # as many are looked up
            cells[0] = ""
        rows.append([step, "10,000,000, by the line above", *cells])
    _common.publish(
        "manifest",
        _common.table(["step", "recordings", "core seconds", "MB", "disk, MB"], rows),
        figures,
        given.output,
    )


if __name__ == "__main__":
    main()
