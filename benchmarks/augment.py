"""The input pipeline of a published rainforest recipe, from sound to image, against librosa and audiomentations.

Ten-second windows at 48 kHz: noise (white or pink, 5 to 20 dB by peaks), pitch by up to 5 semitones, a roll by up to 4
s, volume along a sine by up to 10 dB, then a log-mel image of 128 x 1876. Every window gets all of these. The random
draws are the same for all, except for audiomentations, which draws from the same ranges. Results are compared before
times.

    python benchmarks/augment.py --clips 16 --output results
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import librosa
import numpy as np
import torch
from threadpoolctl import threadpool_limits

import _common
from aurist.audio import probe, read
from aurist.augment import Drawn, clip_rng, compose_from
from aurist.augment.noise import pink, white
from aurist.augment.spectral import augment_spectrum
from aurist.features.spectrogram import Spectrogram, SpectrogramConfig

RATE, SECONDS = 48000, 10
N = RATE * SECONDS
CONFIG = SpectrogramConfig(
    sample_rate=RATE,
    n_fft=2048,
    hop_length=512,
    n_mels=128,
    fmin=84,
    fmax=15056,
    scale="minmax",
    image=(128, 1876),
)
NOISES = [
    {"kind": "gaussian_noise", "snr_db": [5, 20], "snr_of": "peak"},
    {"kind": "pink_noise", "snr_db": [5, 20], "snr_of": "peak"},
]
COMPOSE = compose_from(
    [
        {"kind": "one_of", "of": NOISES, "p": 1},
        {"kind": "pitch_shift", "semitones": [-5, 5], "p": 1},
        {"kind": "time_shift", "seconds": [-4, 4], "p": 1},
        {"kind": "volume", "db": [-10, 10], "curve": "sine", "p": 1},
    ],
    "benchmark",
    "spectrum",
)
IMAGE = Spectrogram(CONFIG)
Images = Callable[[np.ndarray, list[Drawn]], np.ndarray]


@dataclass(frozen=True)
class Window:
    path: Path
    start: float
    drawn: list[Drawn]


def by_sound(y: np.ndarray, drawn: list[Drawn]) -> np.ndarray:
    changed = COMPOSE.apply(y, RATE, drawn)
    return IMAGE(torch.from_numpy(changed)[None])[0, 0].numpy()


def by_spectrum(y: np.ndarray, drawn: list[Drawn]) -> np.ndarray:
    peaks = torch.from_numpy(np.array([max(y.max(), -y.min())]))
    spectrum, bank = augment_spectrum(
        IMAGE.power(torch.from_numpy(y)[None]), COMPOSE, [drawn], CONFIG, peaks=peaks
    )
    return IMAGE.to_image(spectrum, bank)[0, 0].numpy()


def numpy_noise(is_pink: bool, seed: int) -> np.ndarray:
    """Add noise as people write it: numpy's Gaussian, and pink noise as in the package colorednoise."""
    rng = np.random.default_rng(seed)
    if not is_pink:
        return rng.standard_normal(N)
    scale = np.maximum(np.fft.rfftfreq(N), 1 / N) ** -0.5
    spectrum = rng.normal(scale=scale) + 1j * rng.normal(scale=scale)
    spectrum[0] = spectrum[0].real
    return np.fft.irfft(spectrum, N)


def aurist_noise(is_pink: bool, seed: int) -> np.ndarray:
    return (pink if is_pink else white)(N, seed)


def by_librosa(
    y: np.ndarray, drawn: list[Drawn], noise_of: Callable[[bool, int], np.ndarray] = numpy_noise
) -> np.ndarray:
    which, pitch, shift, volume = (step.params for step in drawn)
    noise = noise_of(which.step == 1, which.params.seed)
    loudest = np.abs(y).max() / 10 ** (which.params.snr_db / 20)
    y = (y + noise * (loudest / np.abs(noise).max())).astype(y.dtype)
    y = librosa.effects.pitch_shift(y, sr=RATE, n_steps=pitch.semitones)
    y = np.roll(y, round(shift.seconds * RATE))
    return librosa_image(sine_volume(y, volume.db))


def sine_volume(y: np.ndarray, db: float) -> np.ndarray:
    return (y * 10 ** (db / 20 * np.sin(np.arange(len(y)) / len(y) * np.pi * 2))).astype(y.dtype)


def librosa_image(y: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=y, sr=RATE, n_fft=2048, hop_length=512, n_mels=128, fmin=84, fmax=15056, pad_mode="constant"
    )
    db = librosa.power_to_db(mel)
    return resized((db - db.min()) / (db.max() - db.min()), 1876).astype(np.float32)


def resized(image: np.ndarray, width: int) -> np.ndarray:
    """Resize linearly along time, with pixel centres as in OpenCV; rows stay as they are."""
    position = np.clip((np.arange(width) + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
    left = np.minimum(position.astype(int), image.shape[1] - 2)
    share = (position - left).astype(image.dtype)
    return image[:, left] * (1 - share) + image[:, left + 1] * share


def audiomentations_paths() -> dict[str, Images]:
    """Return audiomentations with each of its pitch shifters; nothing if it is missing or too old."""
    try:
        import audiomentations as peer

        one_of = peer.OneOf(
            [
                peer.AddGaussianSNR(min_snr_db=5, max_snr_db=20, p=1),
                peer.AddColorNoise(min_snr_db=5, max_snr_db=20, min_f_decay=-3.01, max_f_decay=-3.01, p=1),
            ],
            p=1,
        )
        shift = peer.Shift(-4, 4, shift_unit="seconds", rollover=True, fade_duration=0, p=1)
        chains = {
            f"audiomentations, {method.split('_')[0]}": peer.Compose(
                [one_of, peer.PitchShift(-5, 5, method=method, p=1), shift]
            )
            for method in ("librosa_phase_vocoder", "signalsmith_stretch")
        }
    except (ImportError, AttributeError, TypeError) as error:
        print(f"Without audiomentations ({error}): pip install 'audiomentations>=0.42' to compare with it.")
        return {}

    def image(chain: Callable[..., np.ndarray], y: np.ndarray, drawn: list[Drawn]) -> np.ndarray:
        return librosa_image(sine_volume(chain(samples=y, sample_rate=RATE), drawn[-1].params.db))

    return {name: partial(image, chain) for name, chain in chains.items()}


def windows(data: Path, count: int) -> list[Window]:
    """Take windows in turn from the rainforest recordings (48 kHz, FLAC) and the soundscapes (22 kHz, OGG)."""
    files = sorted((data / "rfcx").glob("*.flac"))
    forest = [(f, float(s)) for f in files for s in range(0, int(probe(f).duration) - SECONDS + 1, 5)]
    scapes = [(f, 0.0) for f in sorted((data / "soundscapes").glob("*.ogg"))]
    if not forest or not scapes:
        raise SystemExit(f"There are no recordings in {data / 'rfcx'} and {data / 'soundscapes'}.")
    half = (count + 1) // 2
    chosen = [forest[i * len(forest) // half % len(forest)] for i in range(half)]
    chosen += [scapes[i * len(scapes) // half % len(scapes)] for i in range(count - half)]
    return [Window(f, start, COMPOSE.draw(clip_rng(0, 0, i), N, RATE)) for i, (f, start) in enumerate(chosen)]


def decode(window: Window) -> np.ndarray:
    y, _ = read(window.path, RATE, start=window.start, end=window.start + SECONDS)
    return np.pad(y, (0, N - len(y)))


def librosa_decode(window: Window) -> np.ndarray:
    y, _ = librosa.load(window.path, sr=RATE, offset=window.start, duration=SECONDS)
    return np.pad(y, (0, N - len(y)))


def agreement(chosen: list[Window]) -> dict[str, float]:
    """Return the mean difference of images in [0, 1] from librosa in double precision, with the noise of the waveform
    path: the median over windows. An image is stretched from its least to its greatest number; where a recording has a
    large offset, single precision rounds the least, and all of the image differs by up to 0.04, though the sound
    agrees to 3e-7.
    """
    names = (
        "by sound",
        "by spectrum",
        "librosa, single precision",
        "librosa, other noise",
        "no augmentation",
    )
    apart: dict[str, list[float]] = {name: [] for name in names}
    for window in chosen[:: max(1, len(chosen) // 6)]:
        y, drawn = decode(window), window.drawn
        double = y.astype(np.float64)
        exact = by_librosa(double, drawn, aurist_noise)
        images = (
            by_sound(y, drawn),
            by_spectrum(y, drawn),
            by_librosa(y, drawn, aurist_noise),
            by_librosa(double, drawn),
            librosa_image(y),
        )
        for name, image in zip(names, images, strict=True):
            apart[name].append(float(np.abs(image - exact).mean()))
    return {name: float(np.median(values)) for name, values in apart.items()}


def work(
    chosen: list[Window], load: Callable[[Window], np.ndarray], image: Images, threads: int
) -> Callable[[], None]:
    def one(window: Window) -> None:
        with torch.inference_mode():
            image(load(window), window.drawn)

    def run() -> None:
        if threads == 1:
            for window in chosen:
                one(window)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, chosen))

    return run


def main() -> None:
    options = _common.arguments(__doc__.splitlines()[0])
    torch.set_num_threads(1)
    chosen = windows(options.data, options.clips)
    rows, figures = [], []
    with threadpool_limits(1, user_api="blas"):
        apart = agreement(chosen)
        if apart["by sound"] > 1e-3:
            raise SystemExit(f"The images by sound differ from librosa's: {apart}")
        decoded = {id(window): decode(window) for window in chosen}
        peers = audiomentations_paths()
        ours: dict[str, Images] = {"aurist, by sound": by_sound, "aurist, by spectrum": by_spectrum}
        for what, loads in (
            ("decoded before", (lambda w: decoded[id(w)], lambda w: decoded[id(w)])),
            ("decoding, too", (librosa_decode, decode)),
        ):
            for threads in (1, 2):
                tasks = {
                    name: work(chosen, loads[name in ours], image, threads)
                    for name, image in {"librosa": by_librosa, **peers, **ours}.items()
                }
                seconds = _common.interleaved(tasks, options.repeats)
                for name, took in seconds.items():
                    rate = len(chosen) / float(np.median(took))
                    times = _common.ratio(seconds["librosa"], took)
                    figures.append(
                        {"what": what, "threads": threads, "how": name, "rate": rate, "times": times}
                    )
                    rows.append(
                        [what, str(threads), name, f"{1000 / rate:.1f}", f"{rate:.0f}", f"**{times:.2f}**"]
                    )
    text = f"{len(chosen)} windows of {SECONDS} s at {RATE} Hz"
    if peers:
        text += f"; audiomentations {version('audiomentations')}"
    text += (
        ". Images in [0, 1] of the median window differ from librosa's in double precision, on average, by "
    )
    text += ", ".join(f"{value:.1e} ({name})" for name, value in apart.items()) + ".\n\n"
    header = ["input", "threads", "method", "ms per window", "windows/s", "speed-up over librosa"]
    _common.publish(
        "augment",
        text + _common.table(header, rows),
        {"apart": apart, "rates": figures},
        options.output,
    )


if __name__ == "__main__":
    main()
