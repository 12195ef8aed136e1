"""Log-mel spectrograms and MFCCs for networks against librosa, on decoded clips. Results are compared before times.

python benchmarks/spectrograms.py --output results
"""

from __future__ import annotations

from collections.abc import Callable

import librosa
import numpy as np
import torch
from threadpoolctl import threadpool_limits

import _common
from aurist.audio import read
from aurist.features.images import ImageMaker
from aurist.features.spectrogram import Spectrogram, SpectrogramConfig

BATCH = 32
CONFIGS = {
    "log-mel": SpectrogramConfig(scale="none", level="keep"),
    "MFCC": SpectrogramConfig(kind="mfcc", scale="none", level="keep"),
    "PCEN": SpectrogramConfig(kind="pcen", scale="none", level="keep"),
}
RATE = CONFIGS["log-mel"].sample_rate


def by_librosa(y: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=y, sr=RATE, n_fft=config.n_fft, hop_length=config.hop_length, n_mels=config.n_mels
    )
    if config.kind == "pcen":
        return librosa.pcen(mel * 2**31, sr=RATE, hop_length=config.hop_length)
    db = librosa.power_to_db(mel)
    return db if config.kind == "log_mel" else librosa.feature.mfcc(S=db, n_mfcc=config.n_mfcc)


def agreement(clips: list[np.ndarray], config: SpectrogramConfig, module: Spectrogram) -> dict[str, float]:
    """Return differences in dB; of cepstra and PCEN relative if they are above 1."""
    parts = []
    for y in clips:
        ours, theirs = module(torch.from_numpy(y)[None])[0, 0].numpy(), by_librosa(y, config)
        scale = 1.0 if config.kind == "log_mel" else np.maximum(np.abs(theirs), 1.0)
        parts.append((np.abs(ours - theirs) / scale).ravel())
    apart = np.concatenate(parts)
    return {"99.9%": float(np.quantile(apart, 0.999)), "largest": float(apart.max())}


def with_threads(threads: int, task: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            task()

    return run


def tasks(clips: list[np.ndarray], config: SpectrogramConfig, module: Spectrogram) -> dict[str, Callable]:
    maker = ImageMaker(config)
    batches = [torch.from_numpy(np.stack(clips[i : i + BATCH])) for i in range(0, len(clips), BATCH)]

    def ours() -> None:
        for y in clips:
            module(torch.from_numpy(y)[None])

    def in_batches() -> None:
        for batch in batches:
            module(batch)

    def at_once() -> None:
        # The module does this on a GPU, and not on a CPU.
        for batch in batches:
            module._image(module._power(batch), None)

    return {
        "librosa": with_threads(1, lambda: [by_librosa(y, config) for y in clips]),
        "clip by clip": with_threads(1, ours),
        "clip by clip, without torch": with_threads(1, lambda: [maker(y[None]) for y in clips]),
        "clip by clip, 2 threads": with_threads(2, ours),
        f"batch of {BATCH}": with_threads(1, in_batches),
        f"batch of {BATCH}, 2 threads": with_threads(2, in_batches),
        f"batch of {BATCH} at once": with_threads(1, at_once),
    }


def main() -> None:
    options = _common.arguments(__doc__.splitlines()[0])
    paths = sorted((options.data / "esc10" / "audio").rglob("*.ogg"))
    decoded = [read(p, RATE)[0] for p in paths[:: max(1, len(paths) // options.clips)][: options.clips]]
    length = max(len(y) for y in decoded)
    clips = [np.pad(y, (0, length - len(y))) for y in decoded]
    rows, figures = [], []
    with threadpool_limits(1, user_api="blas"):
        for name, config in CONFIGS.items():
            module = Spectrogram(config)
            apart = agreement(clips, config, module)
            # Bands 80 dB and more below the strongest of their frame are affected by rounding in single precision.
            if apart["99.9%"] > 1e-3 or apart["largest"] > 1e-2:
                raise SystemExit(f"{name} differs from librosa: {apart}")
            seconds = _common.interleaved(tasks(clips, config, module), options.repeats)
            rates = {task: len(clips) / float(np.median(s)) for task, s in seconds.items()}
            times = {task: _common.ratio(seconds["librosa"], s) for task, s in seconds.items()}
            figures.append({"image": name, "apart": apart, "clips_per_second": rates, "times": times})
            differs = [f"{apart['99.9%']:.1e}", f"{apart['largest']:.1e}"]
            rows += [[name, *differs, task, f"{rates[task]:.0f}", f"**{times[task]:.2f}**"] for task in rates]
    text = (
        f"{len(clips)} clips of ESC-10, {length / RATE:g} s at {RATE} Hz, n_fft 1024, hop 512, 128 bands:\n\n"
    )
    header = ["image", "99.9% differ by", "largest", "method", "clips/s", "speed-up over librosa"]
    _common.publish("spectrograms", text + _common.table(header, rows), figures, options.output)


if __name__ == "__main__":
    main()
