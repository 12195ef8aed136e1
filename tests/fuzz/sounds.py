"""Recordings of all kinds, decoded whole and in parts, and the headers of recorders."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from .harness import Target

RATE = 8000


def write_noise(path: Path, form: str, subtype: str, seconds: float = 0.25) -> None:
    """Write a short recording of noise."""
    y = np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * RATE), 2))
    soundfile.write(path, y[:, :1] if subtype == "GSM610" else y, RATE, format=form, subtype=subtype)


_SOUNDS = (
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "GSM610"),
    ("wav", "WAV", "IMA_ADPCM"),
    ("wav", "WAVEX", "PCM_16"),
    ("wav", "RF64", "PCM_16"),
    ("w64", "W64", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("ogg", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
)


def _sound(suffix: str, form: str, subtype: str) -> Callable[[Path], None]:
    return lambda folder: write_noise(folder / f"a.{suffix}", form, subtype)


def _read_sound(folder: Path) -> object:
    from aurist.audio import probe, read

    path = next(iter(folder.iterdir()), folder / "gone.wav")
    info = probe(path)
    with contextlib.suppress(ValueError):
        read(path, 16000, start=0.05, end=0.1)
    return read(path), info.duration


def _read_sound_without_ffmpeg(folder: Path) -> object:
    kept, os.environ["PATH"] = os.environ["PATH"], ""
    try:
        return _read_sound(folder)
    finally:
        os.environ["PATH"] = kept


_HEADERS = {
    b"guan": b"GUANO|Version: 1.0\nTimestamp: 2023-06-01T05:30:00+02:00\nLoc Position: 50.1 8.2\n",
    b"wamd": struct.pack("<HI", 5, 25)
    + b"2023-06-01 05:30:00+02:00"
    + struct.pack("<HI", 6, 22)
    + b"WGS84, 50.1, N, 8.2, W",
    b"LIST": b"INFOICMT\x3c\0\0\0Recorded at 05:30:00 01/06/2023 (UTC+2) by AudioMoth 24F3190",
}


def _recorded(chunk: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        path = folder / "a.wav"
        write_noise(path, "WAV", "PCM_16", 0.01)
        sound, content = path.read_bytes()[12:], _HEADERS[chunk] + b"\0" * (len(_HEADERS[chunk]) % 2)
        parts = b"WAVE" + chunk + struct.pack("<I", len(content)) + content + sound
        path.write_bytes(b"RIFF" + struct.pack("<I", len(parts)) + parts)

    return make


def _read_recorded(folder: Path) -> object:
    from aurist.recorders import began_at

    path = next(iter(folder.iterdir()), folder / "gone.wav")
    return began_at(path), _read_sound_without_ffmpeg(folder)


TARGETS = (
    *(
        Target(f"sound: {form} {subtype}", _sound(suffix, form, subtype), _read_sound_without_ffmpeg, 1)
        for suffix, form, subtype in _SOUNDS
    ),
    *(
        Target(f"sound, ffmpeg: {form} {subtype}", _sound(suffix, form, subtype), _read_sound, 0.02)
        for suffix, form, subtype in _SOUNDS[-8:]
    ),
    *(Target(f"header: {chunk.decode()}", _recorded(chunk), _read_recorded, 1) for chunk in _HEADERS),
)
