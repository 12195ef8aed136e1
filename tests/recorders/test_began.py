"""Times and places in the headers of recordings."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.recorders import Began, began_at

GUANO = "GUANO|Version: 1.0\nMake: Anabat\nTimestamp: 2023-06-01T21:30:00+02:00\nLoc Position: 50.25 -8.5\nNote: bats\n"


def wav(path: Path, chunks: list[tuple[bytes, bytes]]) -> Path:
    """Write a short WAV file with more chunks behind the sound."""
    soundfile.write(path, np.zeros(101, np.int16), 8000)
    body = path.read_bytes()[12:]
    body += b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body)
    soundfile.read(path)  # it is a sound file still
    return path


def wamd(fields: dict[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HI", number, len(value)) + value for number, value in fields.items())


def test_guano(tmp_path: Path) -> None:
    path = wav(tmp_path / "20200101_000000.wav", [(b"junk", b"abc"), (b"guan", GUANO.encode())])
    assert began_at(path) == Began(datetime.fromisoformat("2023-06-01T21:30:00+02:00"), "GUANO", 50.25, -8.5)


@pytest.mark.parametrize(
    ("place", "expected"),
    [(b"WGS84,50.25,N,8.5,W", (50.25, -8.5)), (b"WGS84,-50.25,8.5", (-50.25, 8.5)), (b"", (None, None))],
)
def test_wamd(tmp_path: Path, place: bytes, expected: tuple[float | None, float | None]) -> None:
    chunk = wamd({0: b"\1\0", 1: b"SM4BAT", 5: b"2014-04-02 22:59:14-05:00", 6: place})
    began = began_at(wav(tmp_path / "a.wav", [(b"wamd", chunk)]))
    assert began == Began(datetime.fromisoformat("2014-04-02T22:59:14-05:00"), "WAMD", *expected)


@pytest.mark.parametrize(
    ("zone", "iso"), [("UTC", "+00:00"), ("UTC+2", "+02:00"), ("UTC-3:30", "-03:30"), ("UTC+10", "+10:00")]
)
def test_audiomoth(tmp_path: Path, zone: str, iso: str) -> None:
    comment = (
        f"Recorded at 05:30:00 01/06/2023 ({zone}) by AudioMoth 24F319046035 at medium gain".encode() + b"\0"
    )
    chunk = b"INFOICMT" + struct.pack("<I", len(comment)) + comment
    began = began_at(wav(tmp_path / "a.wav", [(b"LIST", chunk)]))
    assert began == Began(datetime.fromisoformat(f"2023-06-01T05:30:00{iso}"), "AudioMoth")


@pytest.mark.parametrize(
    "chunk",
    [
        (b"guan", b"GUANO|Version: 1.0\nTimestamp: yesterday\n"),
        (b"guan", b"\xff\xfe"),
        (b"wamd", b"\5\0\xff\xff\xff\x7f2014"),  # says that it is longer than the file
        (b"LIST", b"INFOICMT\4\0\0\0dawn"),
        (b"LIST", b"Recorded at 05:30:00 41/06/2023 (UTC) by AudioMoth"),
        (b"LIST", b"Recorded at 05:30:00 01/06/2023 (UTC+99) by AudioMoth"),
    ],
)
def test_a_header_without_a_time_leaves_the_name(tmp_path: Path, chunk: tuple[bytes, bytes]) -> None:
    began = began_at(wav(tmp_path / "SM4_20230601_053000.wav", [chunk]))
    assert began == Began(datetime(2023, 6, 1, 5, 30), "name")


def test_a_file_that_is_gone_is_read_by_its_name() -> None:
    assert began_at("gone/20230601_053000.WAV") == Began(datetime(2023, 6, 1, 5, 30), "name")
    assert began_at("gone/robin.wav") is None


@settings(max_examples=50)
@given(body=st.binary(max_size=200), cut=st.integers(0, 60))
def test_damaged_headers_are_no_error(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, cut: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "a.wav"
    whole = wav(path, [(b"wamd", body), (b"guan", body)]).read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    assert began_at(path) is None or isinstance(began_at(path), Began)
