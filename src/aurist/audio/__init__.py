"""Decoding: the only place that opens sound files."""

from aurist.audio.info import AudioInfo, Decoded, Source, UnreadableAudioError, in_words, lost_end
from aurist.audio.reading import decode_full, opened, probe, read, read_stretch, resample
from aurist.audio.streaming import Stretch, one_channel, resampled, span_around

__all__ = [
    "AudioInfo",
    "Decoded",
    "Source",
    "Stretch",
    "UnreadableAudioError",
    "decode_full",
    "in_words",
    "lost_end",
    "one_channel",
    "opened",
    "probe",
    "read",
    "read_stretch",
    "resample",
    "resampled",
    "span_around",
]
