"""Dates and times in the names of recordings."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.recorders.names import time_in_name


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("20230601_053000.WAV", "2023-06-01T05:30:00"),  # AudioMoth
        ("24F319046035_20230601_053000.WAV", "2023-06-01T05:30:00"),  # AudioMoth, with its id
        ("20230601_053000T.WAV", "2023-06-01T05:30:00"),  # AudioMoth, triggered
        ("5EB2A3C0.WAV", "2020-05-06T11:47:12+00:00"),  # the first AudioMoths
        ("S4A01234_20230601_053000.wav", "2023-06-01T05:30:00"),  # Song Meter 4
        ("SM304256_0+1_20140601_$053000.wav", "2014-06-01T05:30:00"),  # Song Meter 3
        ("2MM01234_20230601_213000.wac", "2023-06-01T21:30:00"),  # Song Meter Mini
        ("20230601T053000+1000_REC.flac", "2023-06-01T05:30:00+10:00"),  # BAR-LT
        ("20230601T053000.123456-0430.flac", "2023-06-01T05:30:00-04:30"),
        ("SwiftOne_20220601_053000_-0400.wav", "2022-06-01T05:30:00-04:00"),  # Swift
        ("site7_20220601_053000Z.wav", "2022-06-01T05:30:00+00:00"),
        ("20180601053000.mp3", "2018-06-01T05:30:00"),
        ("M500-2019-06-01_05-30-00.wav", "2019-06-01T05:30:00"),  # Pettersson
        ("2023-06-01 05.30.00.m4a", "2023-06-01T05:30:00"),
        ("2023-06-01T05:30:00+02:00.flac", "2023-06-01T05:30:00+02:00"),
        ("2023-06-01-birdnet-05:30:00.wav", "2023-06-01T05:30:00"),  # BirdNET-Pi
        ("2023-06-01-birdnet-RTSP_1-05:30:00.mp3", "2023-06-01T05:30:00"),
        ("5678.230601053000.wav", "2023-06-01T05:30:00"),  # SoundTrap
    ],
)
def test_the_names_of_recorders(name: str, time: str) -> None:
    read = time_in_name(name)
    assert read is not None and read.isoformat() == time


@pytest.mark.parametrize(
    "name",
    [
        "robin.wav",
        "1-100032-A-0.wav",  # ESC-50
        "20231301_053000.wav",  # no such month
        "20230230_053000.wav",  # no such day
        "20230601_253000.wav",  # no such hour
        "20230601.wav",  # a day is no time
        "120230601_0530001.wav",  # part of longer numbers
        "ABADCAFE.wav",  # hexadecimal, but after 2038
        "DEADBEEF_a.wav",
        "20230601_053000+9900.wav",  # no such zone
        "XC123456789012.mp3",
    ],
)
def test_other_names_have_no_time(name: str) -> None:
    assert time_in_name(name) is None


@given(
    time=st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)),
    prefix=st.sampled_from(["", "A_", "x-1_"]),
)
def test_every_second_of_a_century_is_read_back(time: datetime, prefix: str) -> None:
    second = time.replace(microsecond=0)
    assert time_in_name(f"{prefix}{second:%Y%m%d_%H%M%S}.wav") == second
    assert time_in_name(f"{prefix}{second:%Y-%m-%d_%H-%M-%S}.wav") == second


@given(st.text(max_size=40))
def test_any_name_is_read_or_not(name: str) -> None:
    assert time_in_name(name) is None or isinstance(time_in_name(name), datetime)
