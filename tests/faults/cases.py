"""The commands that the faults are tried on, and the small data that they need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from ..archives.made import dataset
from ..embedders.networks import RATE, write_onnx
from .harness import Case, Server

PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 10}

[[member]]
name = "KernelRidge"
engine = "kernel"
"""
SCAN = "predict run recordings --window 0.5 --min-score 0.3 --format windows,csv,raven"
#: Made before the cases, from the cases' own commands.
BEFORE = (
    "fit files --plan plan.toml --folds 2 --jobs 1 -o run",
    f"{SCAN} -o detections",
    *(f"{SCAN} --shard {number}/2 -o scan-{number}" for number in (1, 2)),
    *(f"features files --shard {number}/2 -o part-{number}" for number in (1, 2)),
    "clips run detections -o cut",
)
#: For `ONNX`.
NETWORKS = "fit files --engine networks --recipe tiny.toml --time-limit 10m --folds 2 --jobs 1 -o networks"
EMBEDDERS = {"AURIST_EMBEDDERS": "home"}
#: Files of a run with times in them.
TIMES = ("journal.jsonl", "leaderboard", "unit.json", "versions", "scores.json", "warm")
#: A network of a second, and the search for its learning rate.
TINY = """
name = "tiny"
[front]
sample_rate = 8000
n_fft = 256
hop_length = 128
n_mels = 32
[window]
seconds = 0.5
[network]
backbone = "test_resnet"
[training]
epochs = 3
precision = "32"
[search]
"training.lr" = {low = 1e-4, high = 1e-2, log = true}
"""

CASES = (
    Case(
        "fit",
        "fit files --plan plan.toml --folds 2 --jobs 1 -o OUT",
        again="resume OUT",
        unless="data.json",
        varies=TIMES,
    ),
    Case("features (CSV)", "features files -o OUT.csv"),
    Case("features (Parquet)", "features files -o OUT.parquet"),
    Case("features --shard", "features files --shard 1/2 -o OUT"),
    Case("check", "check files -o OUT"),
    Case("predict (clips)", "predict run files -o OUT.csv"),
    Case("predict (recordings)", f"{SCAN} -o OUT", varies=("journal.jsonl",)),
    Case("predict --shard", f"{SCAN} --shard 1/2 -o OUT", varies=("journal.jsonl",)),
    Case("merge (features)", "merge part-1 part-2 -o OUT.csv"),
    Case("merge (detections)", "merge scan-1 scan-2 -o OUT", varies=("journal.jsonl",)),
    Case("export", "export run -o OUT"),
    Case(
        "index",
        "index recordings --embed ear --hop 0.25 -o OUT",
        varies=("journal.jsonl",),
        environment=EMBEDDERS,
    ),
    Case("shards", "shards files --clips 5 -o OUT"),
    Case("evaluate", "evaluate run files -o OUT"),
    # files with the time in them: WAV files of floating point, pictures
    Case(
        "clips",
        "clips run detections -o OUT",
        varies=(".wav", "index.html"),
        refusal="holds clips already",
    ),
    Case("report", "report run -o OUT.html", varies=("OUT.html",)),
    Case("verdicts", "verdicts run judged.csv -o OUT.csv"),
    Case(
        "fit (network)",
        NETWORKS.replace("-o networks", "-o OUT"),
        again="resume OUT",
        unless="data.json",
        varies=(*TIMES, "plan", "history.csv", "progress.json"),
    ),
    Case(
        "tune",
        "tune files --recipe tiny.toml --trials 2 --folds 2 --jobs 1 -o OUT",
        varies=(*TIMES, "plan", "history.csv", "progress.json", "study.db", "trials.csv"),
        ignores=r"(?<=rial) ?\d+",  # one that was interrupted goes on with another number
    ),
)
#: Tried in the campaign alone, as they are slow: a server that is used, and a network in one file.
SERVE = Case("serve", "session.py run recordings OUT")
ONNX = Case("export --onnx", "export networks --onnx OUT.onnx")
#: Folds in worker processes: see `WORKER`.
IN_WORKERS = Case(
    "workers of fit",
    "fit files --plan plan.toml --folds 2 --jobs 2 -o OUT",
    again="resume OUT",
    unless="data.json",
    varies=TIMES,
)


def make(folder: Path, server: Server, *, networks: bool = False) -> None:
    """Write recordings, a network, and with the commands a run, detections and shards, or a run of networks, too."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset(folder / "files")
    (folder / "plan.toml").write_text(PLAN)
    (folder / "tiny.toml").write_text(TINY)
    for name in ("recordings", "home"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        y = rng.normal(0, 0.2, RATE * (2 + number))
        soundfile.write(folder / "recordings" / f"{number}.wav", y, RATE)
    write_onnx(folder / "home" / "ear.onnx")
    (folder / "home" / "ear.toml").write_text('sample_rate = 8000\nseconds = 0.5\noutput = "hidden"\n')
    for command in (*BEFORE, *([NETWORKS] if networks else ())):
        ended = server.run(command, folder, {})
        assert ended.status == 0, f"{command}\n{ended.text}"
    judge(folder)


def judge(folder: Path) -> None:
    """Say yes to some clips of detections."""
    table = pd.read_csv(folder / "cut" / "clips.csv")
    table["verdict"] = ["yes", "no"] * (len(table) // 2) + ["yes"] * (len(table) % 2)
    table.to_csv(folder / "judged.csv", index=False)
