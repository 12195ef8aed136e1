"""Settings of spectrograms for networks, checked without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aurist.errors import ConfigError
from aurist.features import filters

KINDS = ("mel", "log_mel", "pcen", "mfcc")
SCALES = ("none", "minmax", "standard", "fixed")
LEVELS = ("relative", "keep")


@dataclass(frozen=True)
class SpectrogramConfig:
    """Settings of a spectrogram image.

    Parameters
    ----------
    sample_rate
        Sample rate of the clips, in Hz.
    n_fft, hop_length
        Frame length and step, in samples.
    n_mels, fmin, fmax
        Slaney's mel bands, each of unit area, from ``fmin`` to ``fmax`` Hz; None: half the sample rate.
    power
        2: bands of the power spectrum; 1: of the magnitudes.
    center
        True: frames are centred on their time, with zeros beyond the ends of the clip.
    kind
        "mel"; "log_mel"; "pcen" (per-channel energy normalisation with librosa's defaults, of the bands of samples
        scaled to 32-bit integers, as librosa's documentation asks); "mfcc" (of the log-mel bands).
    n_mfcc
        Cepstral coefficients from the 0th.
    decibel
        Logarithm in dB, floored ``top_db`` below the clip's maximum; False: the natural logarithm, floored at -100 dB
        only.
    top_db
        None: only the floor of -100 dB.
    db_of
        "power": 10 log10; "amplitude": 20 log10; None: follows ``power``. Some published recipes treat power bands as
        amplitudes ("amplitude-to-dB" of a power spectrogram). This doubles the dB, so ``top_db`` keeps half the range:
        use ``power=2, db_of="amplitude"``.
    scale
        "none"; "minmax" (each clip to 0 to 1); "standard" (each clip to mean 0, deviation 1); "fixed" (minus ``mean``,
        divided by ``std``). "minmax" and "standard" turn a constant image into zeros.
    mean, std
        Mean and deviation of the whole training set, for "fixed".
    image
        (rows, frames) to resize the scaled image to, bilinearly; None: no resizing.
    level
        "relative": each clip first loses its offset and its loudest sample becomes 1, so the recorder's gain does not
        matter; "keep": samples stay as they are.
    frequency_channel
        Adds a second channel with the row's coordinate, -1 to 1 from low to high, so a network can learn that pitch
        matters (R. Liu et al., "An intriguing failing of convolutional neural networks and the CoordConv solution",
        2018).

    Raises
    ------
    ConfigError
        If a value is invalid, or a mel band would hold no bin of the spectrum.

    Examples
    --------
    >>> SpectrogramConfig(fmax=16000)
    Traceback (most recent call last):
    aurist.errors.ConfigError: fmax is 16000 Hz, but at a sample rate of 22050 Hz there is nothing above 11025 \
Hz: lower fmax, or raise sample_rate.
    """

    sample_rate: int = 22050
    n_fft: int = 1024
    hop_length: int = 512
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    power: float = 2.0
    center: bool = True
    kind: str = "log_mel"
    n_mfcc: int = 20
    decibel: bool = True
    top_db: float | None = 80.0
    db_of: str | None = None
    scale: str = "standard"
    mean: float = 0.0
    std: float = 1.0
    image: tuple[int, int] | None = None
    level: str = "relative"
    frequency_channel: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.image, list):  # from TOML or JSON
            object.__setattr__(self, "image", tuple(self.image))
        _check_names(self)
        _check_frames(self)
        _check_levels(self)
        _check_bands(self)

    @property
    def highest(self) -> float:
        """The upper edge of the mel bands, in Hz."""
        return self.sample_rate / 2 if self.fmax is None else float(self.fmax)

    @property
    def margin(self) -> int:
        """Zeros before the clip, in samples."""
        return self.n_fft // 2 if self.center else 0

    @property
    def of_amplitude(self) -> bool:
        """True if dB are computed as for amplitudes."""
        return self.power == 1 if self.db_of is None else self.db_of == "amplitude"


def n_frames(config: SpectrogramConfig, n_samples: int) -> int:
    """Count the frames of a clip's spectrum, before any resizing; at least one.

    Examples
    --------
    >>> n_frames(SpectrogramConfig(), 22050), n_frames(SpectrogramConfig(center=False), 22050)
    (44, 42)
    """
    padded = n_samples + 2 * config.margin
    return 1 + max(0, padded - config.n_fft) // config.hop_length


def shape(config: SpectrogramConfig, n_samples: int) -> tuple[int, int, int]:
    """Return (channels, rows, frames) of the image of a clip.

    Examples
    --------
    >>> shape(SpectrogramConfig(kind="mfcc", frequency_channel=True), 22050)
    (2, 20, 44)
    """
    rows = config.n_mfcc if config.kind == "mfcc" else config.n_mels
    return (
        2 if config.frequency_channel else 1,
        *(config.image or (rows, n_frames(config, n_samples))),
    )


def _need(fits: bool, actual: str, expected: str) -> None:
    if not fits:
        raise ConfigError(f"{actual}, but {expected}.")


def _check_names(config: SpectrogramConfig) -> None:
    for name, value, allowed in (
        ("kind", config.kind, KINDS),
        ("scale", config.scale, SCALES),
        ("level", config.level, LEVELS),
    ):
        _need(value in allowed, f"{name} is {value!r}", f"must be one of: {', '.join(allowed)}")
    _need(
        config.db_of in (None, "power", "amplitude"),
        f"db_of is {config.db_of!r}",
        "must be 'power', 'amplitude' or None",
    )
    _need(config.power in (1, 2), f"power is {config.power:g}", "must be 2 (power) or 1 (magnitude)")


def _check_frames(config: SpectrogramConfig) -> None:
    for name, value, least in (
        ("sample_rate", config.sample_rate, 1),
        ("n_fft", config.n_fft, 2),
        ("hop_length", config.hop_length, 1),
        ("n_mels", config.n_mels, 1),
    ):
        whole = isinstance(value, int) and value >= least
        _need(whole, f"{name} is {value!r}", f"must be a whole number of at least {least}")
    _need(
        config.hop_length <= config.n_fft,
        f"hop_length is {config.hop_length} and n_fft {config.n_fft}",
        "samples between the frames would be skipped: give a hop_length of n_fft or less, such as "
        f"{max(1, config.n_fft // 4)}",
    )
    image = config.image
    pair = image is None or (
        isinstance(image, tuple) and len(image) == 2 and all(isinstance(n, int) and n > 0 for n in image)
    )
    _need(pair, f"image is {image!r}", "must be two whole numbers, rows and frames, such as (128, 512)")


def _check_levels(config: SpectrogramConfig) -> None:
    _need(
        config.top_db is None or 0 < config.top_db < math.inf,
        f"top_db is {config.top_db}",
        "must be positive, such as 80, or None for no floor",
    )
    _need(math.isfinite(config.mean), f"mean is {config.mean}", "must be finite")
    _need(
        0 < config.std < math.inf,
        f"std is {config.std}",
        "must be positive: the deviation of the training set",
    )
    if config.kind == "mfcc":
        _need(
            isinstance(config.n_mfcc, int) and 1 <= config.n_mfcc <= config.n_mels,
            f"n_mfcc is {config.n_mfcc!r}",
            f"must be a whole number from 1 to n_mels, which is {config.n_mels}",
        )


def _check_bands(config: SpectrogramConfig) -> None:
    half = config.sample_rate / 2
    _need(
        config.highest <= half,
        f"fmax is {config.highest:g} Hz",
        f"at a sample rate of {config.sample_rate} Hz there is nothing above {half:g} Hz: "
        "lower fmax, or raise sample_rate",
    )
    _need(
        0 <= config.fmin < config.highest,
        f"fmin is {config.fmin:g} Hz and fmax {config.highest:g} Hz",
        "must be at least 0 and below fmax",
    )
    empty = _empty_bands(config, config.n_mels, config.n_fft)
    if not empty:
        return
    fewer = next((n for n in range(config.n_mels - 1, 0, -1) if not _empty_bands(config, n, config.n_fft)), 0)
    sizes = (1 << k for k in range(config.n_fft.bit_length(), 25))
    longer = next((n for n in sizes if not _empty_bands(config, config.n_mels, n)), 0)
    remedies = [f"n_mels={fewer}"] * (fewer > 0) + [f"n_fft={longer}"] * (longer > 0)
    raise ConfigError(
        f"Of {config.n_mels} mel bands (n_mels) from {config.fmin:g} to {config.highest:g} Hz, {empty} would "
        f"hold no bin of a spectrum of n_fft={config.n_fft}, with {config.sample_rate / config.n_fft:.1f} Hz "
        f"between its bins. Use {' or '.join(remedies) or 'a wider range'}."
    )


def _empty_bands(config: SpectrogramConfig, n_mels: int, n_fft: int) -> int:
    """Count bands without a bin between their edges."""
    mels = np.linspace(filters.hz_to_mel(config.fmin), filters.hz_to_mel(config.highest), n_mels + 2)
    edges = filters.mel_to_hz(mels) * n_fft / config.sample_rate
    return int(np.count_nonzero(np.floor(edges[:-2]) + 1 >= edges[2:]))
