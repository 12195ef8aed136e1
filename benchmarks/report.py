"""Size of the report of many clips, and the time in which a browser opens it.

    python benchmarks/report.py --clips 10000 --folder report

Clips are seconds of long recordings of noisy tones; neighbouring pitches are confused, so that most cells of the matrix
have clips.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from playwright.sync_api import sync_playwright

RATE, EACH = 16_000, 100
PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\nsettings = {trees = 60}\n'


def write_data(folder: Path, n_clips: int, n_classes: int) -> Path:
    """Write recordings of `EACH` seconds with a class in each second, and the table of clips."""
    rng = np.random.default_rng(0)
    time_axis = np.arange(RATE) / RATE
    rows = []
    for number in range(-(-n_clips // EACH)):
        labels = rng.integers(n_classes, size=EACH)
        pitch = 200 * 1.06 ** (labels + rng.normal(0, 0.6, EACH))
        sound = 0.2 * np.sin(2 * np.pi * pitch[:, None] * time_axis) + rng.normal(0, 0.1, (EACH, RATE))
        name = f"{number:04d}.flac"
        soundfile.write(folder / name, sound.ravel().clip(-1, 1), RATE)
        rows += [(name, i, i + 1, f"class {label:02d}", name) for i, label in enumerate(labels)]
    table = pd.DataFrame(rows[:n_clips], columns=["path", "start", "end", "label", "group"])
    table.to_csv(folder / "clips.csv", index=False)
    return folder / "clips.csv"


def opened(path: Path) -> tuple[float, float]:
    """Seconds until a page is loaded and a cell of its matrix has listed its clips; and the latter alone."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        began = time.monotonic()
        page.goto(path.resolve().as_uri())
        loaded = time.monotonic()
        page.click("[data-cell]")
        page.wait_for_selector("#clips-of-cell li")
        done = time.monotonic()
        browser.close()
    return done - began, done - loaded


def main() -> None:
    """Make the data and the run unless they are there, and print a line for the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=40)
    parser.add_argument("--folder", type=Path, default=Path("report"))
    given = parser.parse_args()
    data, run = given.folder / "data", given.folder / "run"
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "aurist"]
    if not (run / "scores.json").exists():
        table = write_data(data, given.clips, given.classes)
        plan = given.folder / "plan.toml"
        plan.write_text(PLAN)
        subprocess.run(
            [*command, "fit", table, "--plan", plan, "--no-near-duplicates", "--jobs", "1", "-o", run],
            check=True,
        )
    for attempt in ("with the curve", "again"):
        began = time.monotonic()
        subprocess.run([*command, "report", run], check=True, stdout=subprocess.DEVNULL)
        print(f"written, {attempt}: {time.monotonic() - began:.1f} s")
    path = run / "report.html"
    whole, list_only = zip(*(opened(path) for _ in range(5)), strict=True)
    print(
        f"{given.clips:,} clips: {path.stat().st_size / 1e6:.1f} MB, opened and a cell listed in "
        f"{np.median(whole):.2f} s ({min(whole):.2f} to {max(whole):.2f}), the list alone {np.median(list_only):.2f} s"
    )


if __name__ == "__main__":
    main()
