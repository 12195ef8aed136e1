"""An exported ONNX file against the run: 1, 3 and 64 clips of 0.05 to 60 s, also silence, full scale and NaN.

python benchmarks/onnx_file.py run --model mel-cnn
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from aurist.export.onnx_file import check_onnx, export_onnx
from aurist.export.onnx_file.check import KINDS, open_onnx
from aurist.plan import ENSEMBLE
from aurist.run import open_model

#: Batches of clips, by their seconds.
LENGTHS = {0.05: (1, 3, 64), 1.0: (1, 3, 64), 2.03: (1, 3, 64), 5.0: (1, 3, 64), 60.0: (1, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--model", default=ENSEMBLE)
    arguments = parser.parse_args()
    os.environ["AURIST_ENGINE"] = "onnxruntime"  # in single precision, as the file
    files = open_model(arguments.run)
    with tempfile.TemporaryDirectory() as temporary:
        exported = export_onnx(files, Path(temporary) / "model.onnx", arguments.model)
        print(f"{arguments.model}: {exported.n_networks} networks, {exported.size / 1e6:.1f} MB")
        print(f"sounds: {', '.join(KINDS)}\n")
        print("| seconds | batches | largest difference |")
        print("|---|---|---|")
        for seconds, batches in LENGTHS.items():
            check = check_onnx(exported.path, files, arguments.model, batches=batches, seconds=(seconds,))
            print(f"| {seconds:g} | {', '.join(map(str, batches))} | {check.difference:.1e} |", flush=True)
        session = open_onnx(exported.path)
        wave = np.random.default_rng(0).normal(size=(1, 5 * exported.sample_rate)).astype(np.float32)
        took = []
        for _ in range(6):
            began = time.perf_counter()
            session.run(None, {"waveform": wave})
            took.append(time.perf_counter() - began)
        print(f"\n5 s of sound: {1000 * np.median(took[1:]):.0f} ms")


if __name__ == "__main__":
    main()
