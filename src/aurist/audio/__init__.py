"""Decode sound files. No other folder opens them."""

from aurist.audio.info import (
    AudioInfo,
    Decoded,
    Source,
    UnreadableAudioError,
    describe_lost_end,
    format_stretches,
)
from aurist.audio.opening import forget_headers
from aurist.audio.reading import decode_full, open_audio, probe, read, read_stretch, resample
from aurist.audio.streaming import Stretch, resampled, span_around, to_mono

__all__ = [
    "AudioInfo",
    "Decoded",
    "Source",
    "Stretch",
    "UnreadableAudioError",
    "decode_full",
    "describe_lost_end",
    "forget_headers",
    "format_stretches",
    "open_audio",
    "probe",
    "read",
    "read_stretch",
    "resample",
    "resampled",
    "span_around",
    "to_mono",
]
