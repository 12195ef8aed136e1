"""Settings of the summary features, and a choice of settings for given recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aurist.errors import ConfigError, check_one_of
from aurist.features.level import LEVELS
from aurist.records import OPTIONAL

#: Groups of mel bands among the features.
MEL_GROUPS = 32
#: From this sample rate on a recording is ultrasound, in Hz.
ULTRASOUND = 96_000
#: Ratio of the highest to the lowest frequency of ultrasound; below are wind and steps.
ULTRASONIC_RANGE = 20
#: Share of the spectrum that a resampler keeps whole: its filter takes the rest.
KEPT_BY_RESAMPLING = 0.9
#: Sample rates to resample to; the lowest rate that loses nothing is used.
RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100)


@dataclass(frozen=True)
class SummaryConfig:
    """Settings of the summary features.

    Parameters
    ----------
    sample_rate
        Clips are resampled to this rate, in Hz; sound above half of it is lost. 22,050 is enough for music,
        environmental sounds and most animals; bats need their recorder's own rate.
    n_fft, hop_length
        Frame length and step, in samples.
    n_mels
        Mel bands, a multiple of 32.
    n_mfcc
        Cepstral coefficients of the mel bands.
    fmin, fmax
        Range of the mel bands in Hz; ``fmax=None`` is half the sample rate.
    slowed
        Factor to slow the sound down. Slow ultrasound is like audible sound, and its calls are no longer clicks.
        Frequencies in the features are then lower by this factor, and times longer; ``fmin`` and ``fmax`` belong to
        the recording.
    spectrum_share
        Share of the spectrum to use, from 0 Hz. A recording at ``sample_rate`` reaches up to half of it, and a
        resampled one ends some percent below: with 0.9, features are the same from either.
    level
        "relative": the features do not depend on the recorded level, so gain and distance do not matter; "keep": they
        do, for data where the level is informative and the gain was constant.

    Raises
    ------
    ConfigError
        If a setting is out of its range.

    Examples
    --------
    >>> SummaryConfig(sample_rate=44100).highest
    22050.0
    """

    sample_rate: int = 22050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    fmin: float = 0.0
    fmax: float | None = None
    slowed: float = 1.0
    level: str = "relative"
    spectrum_share: float = field(default=1.0, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {value}, but must be {expected}"
            for name, value, expected, good in (
                ("sample_rate", self.sample_rate, "at least 2000 Hz", self.sample_rate >= 2000),
                ("n_fft", self.n_fft, "an even number from 256", self.n_fft >= 256 and self.n_fft % 2 == 0),
                ("hop_length", self.hop_length, "from 1 to n_fft", 1 <= self.hop_length <= self.n_fft),
                (
                    "n_mels",
                    self.n_mels,
                    "a multiple of 32",
                    self.n_mels > 0 and self.n_mels % MEL_GROUPS == 0,
                ),
                ("n_mfcc", self.n_mfcc, "from 1 to n_mels", 1 <= self.n_mfcc <= self.n_mels),
                (
                    "fmax",
                    self.fmax,
                    "half the sample rate at most",
                    (self.fmax or 0.0) <= self.sample_rate / 2,
                ),
                ("fmin", self.fmin, "from 0 to below fmax", 0 <= self.fmin < self.highest),
                (
                    "spectrum_share",
                    self.spectrum_share,
                    "above 0 and at most 1",
                    0 < self.spectrum_share <= 1,
                ),
                ("slowed", self.slowed, "from 1 to 1000", 1 <= self.slowed <= 1000),
            )
            if not good
        ]
        if wrong:
            raise ConfigError("Summary features: " + "; ".join(wrong) + ".")
        check_one_of("level", self.level, LEVELS)

    @property
    def highest(self) -> float:
        """Upper end of the mel bands, in Hz."""
        used = self.spectrum_share * self.sample_rate / 2
        return used if self.fmax is None else min(self.fmax, used)


def config_for_rates(
    sample_rates: Mapping[str, int],
    band: tuple[float, float] | None = None,
    *,
    sample_rate: int | None = None,
    level: str = "relative",
) -> SummaryConfig:
    """Choose settings for recordings: ultrasound is slowed down, and the band of annotated boxes is covered.

    Parameters
    ----------
    sample_rates
        Count of recordings by sample rate, from the audit.
    band
        Lowest and highest frequency of the boxes, in Hz; None: no boxes.
    sample_rate
        The rate to use, in Hz; None: chosen.
    level
        See `SummaryConfig`.

    Examples
    --------
    >>> config_for_rates({"44100": 3}).sample_rate, config_for_rates({"48000": 3}, (300.0, 15056.0)).sample_rate
    (22050, 44100)
    >>> bats = config_for_rates({"256000": 3})
    >>> bats.sample_rate, bats.fmin, round(bats.slowed, 2)
    (256000, 6400.0, 11.61)
    """
    if sample_rate is not None:
        return SummaryConfig(sample_rate=sample_rate, level=level, spectrum_share=_share(sample_rate, band))
    default = SummaryConfig(level=level, spectrum_share=KEPT_BY_RESAMPLING)
    native = float(
        max(sample_rates, key=lambda rate: (sample_rates[rate], float(rate)), default=default.sample_rate)
    )
    if native >= ULTRASOUND:
        rate = round(native)
        low, high = band or (rate / 2 / ULTRASONIC_RANGE, rate / 2)
        return SummaryConfig(
            sample_rate=rate,
            fmin=max(0.0, low),
            fmax=min(high, rate / 2),
            slowed=rate / default.sample_rate,
            level=level,
            spectrum_share=_share(rate, band),
        )
    if band is None or band[1] <= default.highest:
        return default
    needed = min(2 * band[1] / KEPT_BY_RESAMPLING, native)
    rate = next((rate for rate in RATES if rate >= needed), RATES[-1])
    return SummaryConfig(sample_rate=rate, level=level, spectrum_share=_share(rate, band))


def _share(rate: int, band: tuple[float, float] | None) -> float:
    """Return the share of the spectrum to use: all of it where boxes reach into the last part."""
    return 1.0 if band is not None and band[1] > KEPT_BY_RESAMPLING * rate / 2 else KEPT_BY_RESAMPLING
