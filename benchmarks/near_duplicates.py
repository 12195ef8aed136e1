"""The share of altered copies of real clips that the audit finds, and the share of its pairs that are copies.

python benchmarks/near_duplicates.py --clips 40 --output results

Copies are encoded again (MP3, Vorbis), changed in level, trimmed at one or both ends, resampled, and all of these at
once. The threshold was chosen on esc10 and fsdd; gtzan100, nips4b and soundscapes were not used for the choice. All
originals and copies of all data sets are compared together, so pairs across data sets count against precision. A pair
of files that are not known to be copies counts as right only if their samples agree: a correlation of at least 0.8 over
half a second (or over the overlap, if it is shorter), aligned to the sample.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile
from scipy.signal import fftconvolve

import _common
from aurist.audio import read, resample
from aurist.audit.measure_files import measure_file
from aurist.audit.near import MAX_ERROR, near_pairs

Samples = npt.NDArray[np.float32]
Sound = tuple[Samples, int]

SETS = {
    "esc10": "esc10/audio/**/*.ogg",
    "fsdd": "fsdd/recordings/*.wav",
    "gtzan100": "gtzan100/audio/**/*.ogg",
    "nips4b": "nips4b/audio/**/*.ogg",
    "soundscapes": "soundscapes/*.ogg",
}
CHOSEN_ON = ("esc10", "fsdd")
THRESHOLDS = (0.06, 0.10, 0.14, 0.18, 0.22, 0.26, 0.30)
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
#: Trimmed copies with less of the original's energy contain nothing to find (clips padded with digital silence).
LEAST_ENERGY = 0.1
RATE = 16_000


@dataclass(frozen=True)
class File:
    path: Path
    set: str
    origin: int
    alteration: str


def gain(sound: Sound, rng: np.random.Generator) -> Sound:
    """Change the level by -12 to +6 dB; samples beyond full scale are clipped when written."""
    return (sound[0] * 10 ** (rng.uniform(-12, 6) / 20)).astype(np.float32), sound[1]


def half_rate(sound: Sound, rng: np.random.Generator) -> Sound:
    del rng
    return resample(sound[0], sound[1], sound[1] // 2), sound[1] // 2


def trim(sound: Sound, rng: np.random.Generator, ends: str) -> Sound:
    """Cut 0.1 to 2 s off the given ends; of short sounds at most 15% (below a second) or 40%."""
    y, rate = sound
    most = (0.15 if len(y) < rate else 0.4) * len(y)
    cut = [
        int(min(rng.uniform(0.1, 2.0) * rate, rng.uniform(0.1, 1.0) * most)) if end in ends else 0
        for end in "se"
    ]
    return y[cut[0] : len(y) - cut[1]], rate


ALTERATIONS: dict[str, tuple[str, list[Callable[[Sound, np.random.Generator], Sound]]]] = {
    "mp3": ("mp3", []),
    "ogg": ("ogg", []),
    "gain": ("wav", [gain]),
    "half rate": ("wav", [half_rate]),
    "trim start": ("wav", [lambda s, r: trim(s, r, "s")]),
    "trim end": ("wav", [lambda s, r: trim(s, r, "e")]),
    "trim both": ("wav", [lambda s, r: trim(s, r, "se")]),
    "trim, gain, mp3": ("mp3", [lambda s, r: trim(s, r, "se"), gain]),
    "trim, gain, ogg": ("ogg", [lambda s, r: trim(s, r, "se"), gain]),
    "trim, gain, half rate, mp3": ("mp3", [lambda s, r: trim(s, r, "se"), gain, half_rate]),
}


def copies(name: str, origin: int, path: Path, folder: Path, seed: int) -> Iterator[File]:
    y, rate = read(path)
    energy = float((y.astype(float) ** 2).sum())
    for number, (alteration, (suffix, steps)) in enumerate(ALTERATIONS.items()):
        rng = np.random.default_rng([seed, origin, number])
        sound = (y, rate)
        for step in steps:
            sound = step(sound, rng)
            if (
                step is not gain
                and step is not half_rate
                and (sound[0].astype(float) ** 2).sum() < LEAST_ENERGY * energy
            ):
                break
        else:
            if suffix == "mp3" and sound[1] not in MP3_RATES:
                nearest = min(MP3_RATES, key=lambda r: abs(r - sound[1]))
                sound = (resample(sound[0], sound[1], nearest), nearest)
            out = folder / f"{origin}_{number}.{suffix}"
            soundfile.write(out, np.clip(sound[0], -1, 1), sound[1])
            yield File(out, name, origin, alteration)


def same_samples(a: Path, b: Path, offset: float) -> bool:
    """Return if two files agree sample by sample when ``b`` begins ``offset`` seconds into ``a``."""
    x, y = read(a, RATE)[0], read(b, RATE)[0]
    x, y = _overlap(x, y, round(offset * RATE))
    if len(x) < 400:
        return False
    # The fingerprint knows the offset to one to three frames; the rest is searched for.
    reach = min(800, len(x) // 2)
    lags = fftconvolve(x, y[::-1])[len(y) - 1 - reach : len(y) + reach]
    piece = min(RATE // 2, len(x))
    for lag in np.argsort(-np.abs(lags))[:1] - reach:
        u, v = _overlap(x, y, int(lag))
        for begin in range(0, max(1, len(u) - piece + 1), max(1, piece // 2)):
            p, q = u[begin : begin + piece], v[begin : begin + piece]
            if p.std() > 1e-6 and q.std() > 1e-6 and abs(np.corrcoef(p, q)[0, 1]) >= 0.8:
                return True
    return False


def _overlap(x: Samples, y: Samples, offset: int) -> tuple[Samples, Samples]:
    begin, end = max(0, offset), min(len(x), len(y) + offset)
    return x[begin : max(begin, end)], y[begin - offset : max(begin, end) - offset]


def judged(files: list[File], pairs: pd.DataFrame, pool: ThreadPoolExecutor) -> pd.DataFrame:
    """Return the pairs with ``true`` (one original, or equal samples) and ``known`` (one original)."""
    origin = np.array([file.origin for file in files])
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    is_copy = origin[a] == origin[b]
    rest = pairs[~is_copy]
    checked = pool.map(
        lambda row: same_samples(files[row[0]].path, files[row[1]].path, row[2]),
        zip(rest["a"], rest["b"], rest["offset"], strict=True),
    )
    true = is_copy.copy()
    true[~is_copy] = list(checked)
    return pairs.assign(known=is_copy, true=true, set=[files[i].set for i in a])


def scores(files: list[File], pairs: pd.DataFrame, name: str | None) -> tuple[int, int, int, int]:
    """Count copies, copies found with their original, pairs and right pairs, of one data set or of all."""
    chosen = pairs if name is None else pairs[pairs["set"] == name]
    first = {file.origin: i for i, file in enumerate(files) if file.alteration == "original"}
    pairs_found = set(zip(pairs["a"], pairs["b"], strict=True))
    of = [
        (first[f.origin], i)
        for i, f in enumerate(files)
        if f.alteration != "original" and name in (None, f.set)
    ]
    return len(of), sum(pair in pairs_found for pair in of), len(chosen), int(chosen["true"].sum())


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def main() -> None:
    options = _common.arguments((__doc__ or "").splitlines()[0])
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        files: list[File] = []
        jobs = []
        for number, (name, pattern) in enumerate(SETS.items()):
            originals = sorted(options.data.glob(pattern))
            rng = np.random.default_rng(number)
            altered = set(
                rng.choice(len(originals), min(options.clips, len(originals)), replace=False).tolist()
            )
            for i, path in enumerate(originals):
                files.append(File(path, name, len(files), "original"))
                if i in altered:
                    jobs.append((name, len(files) - 1, path, Path(folder), number))
        wanted = len(jobs) * len(ALTERATIONS)
        for made in pool.map(lambda job: list(copies(*job)), jobs):
            files += made
        began = time.perf_counter()
        measured = list(pool.map(lambda file: measure_file(file.path, ((0.0, np.inf),), near=True), files))
        decoded = time.perf_counter() - began
        near_pairs([measured[0].prints, measured[0].prints])
        began = time.perf_counter()
        everything = near_pairs([facts.prints for facts in measured], max_error=max(THRESHOLDS))
        compared = time.perf_counter() - began
        everything = judged(files, everything, pool)
        figures: dict[str, object] = {
            "files": len(files),
            "left_out": wanted - sum(f.alteration != "original" for f in files),
        }
        sweep = []
        for threshold in THRESHOLDS:
            pairs = judged(files, near_pairs([facts.prints for facts in measured], max_error=threshold), pool)
            row = [f"{threshold:.2f}"]
            for sets in (CHOSEN_ON, tuple(name for name in SETS if name not in CHOSEN_ON)):
                n, hit, n_found, right = np.sum(
                    [scores(files, pairs, name) for name in sets], axis=0
                ).tolist()
                row += [percent(hit, n), percent(right, n_found)]
            sweep.append(row)
        pairs = judged(files, near_pairs([facts.prints for facts in measured]), pool)
        report(files, pairs, sweep, figures, decoded, compared, options.output)


def report(
    files: list[File],
    pairs: pd.DataFrame,
    sweep: list[list[str]],
    figures: dict[str, object],
    decoded: float,
    compared: float,
    output: Path | None,
) -> None:
    rows = []
    for name in [*SETS, None]:
        n, hit, n_found, right = scores(files, pairs, name)
        part = "chosen on" if name in CHOSEN_ON else "measured" if name else ""
        rows.append([name or "all", part, str(n), percent(hit, n), str(n_found), percent(right, n_found)])
        figures[name or "all"] = {"copies": n, "found": hit, "pairs": n_found, "right": right}
    by_kind = []
    first = {file.origin: i for i, file in enumerate(files) if file.alteration == "original"}
    together = set(zip(pairs["a"], pairs["b"], strict=True))
    for alteration in ALTERATIONS:
        line = [alteration]
        for name in SETS:
            hits = [
                (first[f.origin], i) in together
                for i, f in enumerate(files)
                if (f.alteration, f.set) == (alteration, name)
            ]
            line.append(percent(sum(hits), len(hits)))
        by_kind.append(line)
    wrong = pairs[~pairs["true"]]
    unknown = pairs[pairs["true"] & ~pairs["known"]]
    parts = [
        "## Near duplicates: altered copies found, and pairs that are right",
        f"{len(files):,} files in one comparison ({compared:.1f} s; decoding and fingerprints {decoded:.1f} s). "
        f"Threshold {MAX_ERROR}. "
        f"{figures['left_out']} trimmed copies were left out: hardly anything but silence remained.",
        _common.table(["data set", "", "copies", "recall", "pairs found", "precision"], rows),
        f"{len(unknown)} of the right pairs are duplicates within the sets themselves, confirmed by their samples.",
        "Recall by alteration:",
        _common.table(["alteration", *SETS], by_kind),
        "Choice of the threshold (share of differing bits):",
        _common.table(
            ["threshold", "chosen on: recall", "precision", "measured: recall", "precision"], sweep
        ),
    ]
    if len(wrong):
        lines = [
            f"- {files[a].path.name} and {files[b].path.name}, error {e:.3f}, {n} bits"
            for a, b, e, n in zip(wrong["a"], wrong["b"], wrong["error"], wrong["bits"], strict=True)
        ]
        parts += ["Pairs that are wrong, or could not be confirmed:", "\n".join(lines[:30])]
    _common.publish("near_duplicates", "\n\n".join(parts), figures, output)


if __name__ == "__main__":
    main()
