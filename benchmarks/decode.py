"""Decoding and resampling against librosa.load, on the same files. Results are compared before times.

python benchmarks/decode.py --output results
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import soundfile

import _common
from aurist.audio import read

FORMATS = ("wav", "flac", "ogg", "mp3")


def written(sources: list[Path], folder: Path) -> dict[str, list[Path]]:
    """Write the clips in each format, in stereo as most music."""
    files: dict[str, list[Path]] = {kind: [] for kind in FORMATS}
    for number, source in enumerate(sources):
        y, rate = soundfile.read(source, dtype="float32", always_2d=True)
        # Two different channels: equal channels would be coded as one.
        stereo = np.stack([y[:, 0], 0.7 * np.roll(y[:, -1], 40)], axis=1)
        for kind, paths in files.items():
            path = folder / f"{number}.{kind}"
            soundfile.write(path, stereo, rate)
            paths.append(path)
    return files


def main() -> None:
    options = _common.arguments(__doc__.splitlines()[0])
    sources = sorted((options.data / "esc10" / "audio").rglob("*.ogg"))
    sources = sources[:: max(1, len(sources) // options.clips)][: options.clips]
    rows, figures = [], []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        files = written(sources, Path(folder))
        for kind, paths in files.items():
            for rate in (22050, 16000):
                apart = 0.0
                for path in paths:
                    ours, theirs = read(path, rate)[0], librosa.load(path, sr=rate)[0]
                    shared = min(len(ours), len(theirs))
                    if abs(len(ours) - len(theirs)) > 1:
                        raise SystemExit(f"{path}: {len(ours)} samples, librosa has {len(theirs)}")
                    apart = max(apart, float(np.abs(ours[:shared] - theirs[:shared]).max()))
                tasks = {
                    "aurist": lambda p=paths, r=rate: [read(x, r) for x in p],
                    "librosa": lambda p=paths, r=rate: [librosa.load(x, sr=r) for x in p],
                    "aurist, 2 threads": lambda p=paths, r=rate: list(pool.map(lambda x: read(x, r), p)),
                }
                seconds = _common.interleaved(tasks, options.repeats)
                each = {task: 1e3 * float(np.median(s)) / len(paths) for task, s in seconds.items()}
                one = _common.ratio(seconds["librosa"], seconds["aurist"])
                two = _common.ratio(seconds["librosa"], seconds["aurist, 2 threads"])
                figures.append(
                    {"format": kind, "rate": rate, "apart": apart, "ms": each, "one": one, "two": two}
                )
                rows.append(
                    [
                        kind,
                        str(rate),
                        f"{apart:.1e}",
                        f"{each['aurist']:.2f}",
                        f"{each['librosa']:.2f}",
                        f"**{one:.2f}**",
                        f"{two:.2f}",
                    ]
                )
    text = f"Milliseconds a file: {len(sources)} stereo clips of 5 s at 44.1 kHz, read, downmixed, resampled:\n\n"
    header = [
        "format",
        "to Hz",
        "largest difference",
        "aurist",
        "librosa.load",
        "speed-up",
        "speed-up on 2 threads",
    ]
    _common.publish("decode", text + _common.table(header, rows), figures, options.output)


if __name__ == "__main__":
    main()
