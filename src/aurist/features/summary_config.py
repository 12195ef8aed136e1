"""Settings of the summary features, and a choice of settings for given recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurist.errors import ConfigError, check_one_of
from aurist.features.level import LEVELS

#: Groups of mel bands among the features.
MEL_GROUPS = 32
#: From this sample rate on a recording is ultrasound, in Hz.
ULTRASOUND = 96_000
#: Ratio of the highest to the lowest frequency of ultrasound; below are wind and steps.
ULTRASONIC_RANGE = 20
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
                ("fmax", self.fmax, "half the sample rate at most", self.highest <= self.sample_rate / 2),
                ("fmin", self.fmin, "from 0 to below fmax", 0 <= self.fmin < self.highest),
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
        return self.sample_rate / 2 if self.fmax is None else self.fmax


def config_for_rates(
    sample_rates: Mapping[str, int], band: tuple[float, float] | None = None, *, level: str = "relative"
) -> SummaryConfig:
    """Choose settings for recordings: ultrasound is slowed down, and the band of annotated boxes is covered.

    Parameters
    ----------
    sample_rates
        Count of recordings by sample rate, from the audit.
    band
        Lowest and highest frequency of the boxes, in Hz; None: no boxes.
    level
        See `SummaryConfig`.

    Examples
    --------
    >>> config_for_rates({"44100": 3}).sample_rate, config_for_rates({"48000": 3}, (300.0, 15056.0)).sample_rate
    (22050, 32000)
    >>> bats = config_for_rates({"256000": 3})
    >>> bats.sample_rate, bats.fmin, round(bats.slowed, 2)
    (256000, 6400.0, 11.61)
    """
    default = SummaryConfig(level=level)
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
        )
    if band is None or band[1] <= default.highest:
        return default
    needed = min(2 * band[1], native)
    return SummaryConfig(sample_rate=next((rate for rate in RATES if rate >= needed), RATES[-1]), level=level)
