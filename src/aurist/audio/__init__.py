"""Decoding: the only place that opens sound files."""

from aurist.audio.info import AudioInfo, Decoded, Source, UnreadableAudioError
from aurist.audio.reading import decode_full, opened, probe, read, resample

__all__ = [
    "AudioInfo",
    "Decoded",
    "Source",
    "UnreadableAudioError",
    "decode_full",
    "opened",
    "probe",
    "read",
    "resample",
]
