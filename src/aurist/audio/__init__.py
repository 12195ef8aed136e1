"""Decoding: the only place that opens sound files."""

from aurist.audio.info import AudioInfo, Decoded, UnreadableAudioError
from aurist.audio.reading import decode_full, probe, read, resample

__all__ = ["AudioInfo", "Decoded", "UnreadableAudioError", "decode_full", "probe", "read", "resample"]
