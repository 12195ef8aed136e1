"""Summary features against separate calls of librosa, on the same clips. Results are compared before times.

python benchmarks/features.py --output results
"""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import scipy.stats
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

import _common
from aurist.audio import read
from aurist.features.frames import PERCENTS, analyse, delta
from aurist.features.summary import SummaryConfig, summary, summary_columns

CONFIG = SummaryConfig()
RATE = CONFIG.sample_rate


def librosa_features(y: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the same features as people do: one call each, each with its own spectrum."""
    feature = librosa.feature
    mfcc = feature.mfcc(y=y, sr=RATE, n_mfcc=20)
    # tuning=0 saves librosa the estimate of the tuning, which aurist does not make.
    chroma = feature.chroma_stft(y=y, sr=RATE, tuning=0.0)
    wide = "interp" if mfcc.shape[1] >= 9 else "nearest"
    return {
        "mfcc": mfcc,
        "mfcc_delta": feature.delta(mfcc, mode=wide),
        "mfcc_delta2": feature.delta(mfcc, order=2, mode=wide),
        "mel_db": librosa.power_to_db(feature.melspectrogram(y=y, sr=RATE)),
        "chroma": chroma,
        "tonnetz": feature.tonnetz(chroma=chroma),
        "contrast": feature.spectral_contrast(y=y, sr=RATE),
        "rolloff": np.concatenate([feature.spectral_rolloff(y=y, sr=RATE, roll_percent=p) for p in PERCENTS]),
        "centroid": feature.spectral_centroid(y=y, sr=RATE),
        "bandwidth": feature.spectral_bandwidth(y=y, sr=RATE),
        "flatness": feature.spectral_flatness(y=y),
        "rms": feature.rms(y=y),
        "zcr": feature.zero_crossing_rate(y),
        "onset": librosa.onset.onset_strength(y=y, sr=RATE)[None],
    }


def librosa_summary(y: np.ndarray) -> np.ndarray:
    """Return those features and the tempo, with mean, deviation, range, median, skewness and kurtosis of each."""
    # scipy warns of rows that are nearly constant.
    warnings.simplefilter("ignore", RuntimeWarning)
    tempo = librosa.feature.tempo(y=y, sr=RATE)
    values = [tempo]
    for x in librosa_features(y).values():
        values += [x.mean(axis=1), x.std(axis=1), x.min(axis=1), x.max(axis=1), np.median(x, axis=1)]
        values += [scipy.stats.skew(x, axis=1), scipy.stats.kurtosis(x, axis=1)]
    return np.concatenate(values)


def aurist_summary(y: np.ndarray) -> np.ndarray:
    return summary(y, CONFIG)


def only_frames(y: np.ndarray) -> None:
    librosa_features(y)


def agreement(clips: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """Return differences of the frame features, relative to the range of each feature in the clip."""
    apart: dict[str, list[np.ndarray]] = {}
    for y in clips:
        features = analyse(
            y, RATE, n_fft=2048, hop_length=512, n_mels=128, n_mfcc=20, fmin=0.0, fmax=CONFIG.highest
        )
        for name, theirs in librosa_features(y).items():
            ours = {
                "mfcc_delta": lambda f: delta(f.mfcc),
                "mfcc_delta2": lambda f: delta(f.mfcc, order=2),
            }.get(name, lambda f, name=name: getattr(f, name))(features)
            span = max(float(np.ptp(theirs)), 1e-12)
            apart.setdefault(name, []).append(np.abs(np.atleast_2d(ours.T) - theirs).ravel() / span)
    whole = {name: np.concatenate(parts) for name, parts in apart.items()}
    return {
        name: {
            "median": float(np.median(x)),
            "99.9%": float(np.quantile(x, 0.999)),
            "within 1e-3": float(np.mean(x < 1e-3)),
        }
        for name, x in whole.items()
    }


def on_cores(cores: int, call: object, clips: list[np.ndarray], pool: Parallel) -> list[object]:
    if cores == 1:
        return [call(y) for y in clips]
    return pool(delayed(call)(y) for y in clips)


def main() -> None:
    options = _common.arguments(__doc__.splitlines()[0])
    paths = {
        "esc10 (5 s)": sorted((options.data / "esc10" / "audio").rglob("*.ogg")),
        "gtzan100 (9-30 s)": sorted((options.data / "gtzan100" / "audio").rglob("*.ogg")),
    }
    sets = {
        name: [read(p, RATE)[0] for p in files[:: max(1, len(files) // options.clips)][: options.clips]]
        for name, files in paths.items()
    }
    agreed = agreement([y for clips in sets.values() for y in clips])
    text = ["Difference from librosa, relative to the feature's range in the clip:\n"]
    text.append(
        _common.table(
            ["feature", "median", "99.9%", "within 1e-3"],
            [
                [n, f"{a['median']:.1e}", f"{a['99.9%']:.1e}", f"{a['within 1e-3']:.4%}"]
                for n, a in agreed.items()
            ],
        )
    )
    rows, figures = [], []
    # One thread per core: otherwise threads of a library would be measured (loky limits its workers).
    with threadpool_limits(1), Parallel(n_jobs=2, backend="loky", batch_size=4) as pool:
        for name, clips in sets.items():
            for cores in (1, 2):
                tasks = {
                    "aurist": lambda c=cores, x=clips: on_cores(c, aurist_summary, x, pool),
                    "librosa": lambda c=cores, x=clips: on_cores(c, librosa_summary, x, pool),
                    "librosa, frames only": lambda c=cores, x=clips: on_cores(c, only_frames, x, pool),
                }
                seconds = _common.interleaved(tasks, options.repeats)
                each = {task: 1e3 * float(np.median(s)) / len(clips) for task, s in seconds.items()}
                times = _common.ratio(seconds["librosa"], seconds["aurist"])
                bare = _common.ratio(seconds["librosa, frames only"], seconds["aurist"])
                figures.append({"set": name, "cores": cores, "ms": each, "times": times, "times_bare": bare})
                rows.append(
                    [
                        name,
                        str(cores),
                        f"{each['aurist']:.1f}",
                        f"{each['librosa']:.1f}",
                        f"{each['librosa, frames only']:.1f}",
                        f"**{times:.1f}**",
                        f"{bare:.1f}",
                    ]
                )
    text.append(
        f"\nMilliseconds a clip, decoded before; {len(summary_columns(CONFIG))} features by aurist:\n"
    )
    header = [
        "clips",
        "cores",
        "aurist",
        "librosa + statistics",
        "librosa's frames alone",
        "speed-up",
        "speed-up, frames",
    ]
    text.append(_common.table(header, rows))
    _common.publish("features", "\n".join(text), {"agreement": agreed, "speed": figures}, options.output)


if __name__ == "__main__":
    main()
