"""Fingerprints and near duplicates, on sound made for the purpose."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aurist.audit import candidates, near
from aurist.audit.duplicates import connect_sets
from aurist.audit.fingerprint import HOP, RATE, Fingerprint, fingerprint, fingerprint_blocks
from aurist.audit.near import near_pairs
from aurist.errors import DataError

_spec = spec_from_file_location("audit_sounds", Path(__file__).with_name("conftest.py"))
sounds = module_from_spec(_spec)
_spec.loader.exec_module(sounds)
SR = sounds.RATE


def encoded(y, rate, kind):
    file = io.BytesIO()
    soundfile.write(file, np.clip(y, -1, 1), rate, format=kind)
    file.seek(0)
    return soundfile.read(file, dtype="float32")


ALTERED: dict[str, Callable] = {
    "mp3": lambda y: encoded(y, SR, "MP3"),
    "ogg": lambda y: encoded(y, SR, "OGG"),
    "quieter": lambda y: (y * 0.25, SR),
    "louder and clipped": lambda y: (np.clip(y * 3, -1, 1), SR),
    "half rate": lambda y: (soxr.resample(y, SR, SR // 2), SR // 2),
    "other rate": lambda y: (soxr.resample(y, SR, 32_000), 32_000),
    "start gone": lambda y: (y[int(1.2345 * SR) :], SR),
    "end gone": lambda y: (y[: -int(1.777 * SR)], SR),
    "excerpt": lambda y: (y[2 * SR : 4 * SR], SR),
    "all of it": lambda y: encoded(soxr.resample(y[7001:-9001] * 0.4, SR, 16_000), 16_000, "MP3"),
    "upside down": lambda y: (-y, SR),
}


@pytest.mark.parametrize("alteration", ALTERED)
@pytest.mark.parametrize("make", [sounds.tune, sounds.rain])
def test_an_altered_copy_is_found_among_others(make, alteration):
    originals = [make(seed) for seed in range(6)]
    copy, rate = ALTERED[alteration](originals[3])
    prints = [fingerprint(y, SR) for y in originals] + [fingerprint(np.float32(copy), rate)]
    pairs = near_pairs(prints)
    assert pairs[["a", "b"]].values.tolist() == [[3, 6]]
    assert pairs["error"].iloc[0] < 0.18


def test_the_offset_and_the_overlap_are_told_in_seconds():
    y = sounds.tune(1, 10.0)
    pairs = near_pairs([fingerprint(y, SR), fingerprint(y[int(2.5 * SR) : int(6.5 * SR)], SR)])
    assert pairs["offset"].iloc[0] == pytest.approx(2.5, abs=0.01)
    assert pairs["overlap"].iloc[0] == pytest.approx(4.0, abs=0.15)


def test_two_cuts_of_one_rain_match_only_where_they_overlap():
    y = sounds.rain(0, 20.0)
    cuts = [y[: 5 * SR], y[5 * SR : 10 * SR], y[13 * SR : 18 * SR], y[15 * SR :]]
    pairs = near_pairs([fingerprint(cut, SR) for cut in cuts])
    assert pairs[["a", "b"]].values.tolist() == [[2, 3]]
    assert pairs["offset"].iloc[0] == pytest.approx(2.0, abs=0.01)


def test_sounds_that_share_a_part_are_found():
    shared = sounds.tune(9, 3.0)
    a = np.concatenate([sounds.tune(1, 3.0), shared])
    b = np.concatenate([shared, sounds.tune(2, 3.0)])
    pairs = near_pairs([fingerprint(a, SR), fingerprint(b, SR)])
    assert pairs["offset"].iloc[0] == pytest.approx(3.0, abs=0.01)
    assert 2.5 < pairs["overlap"].iloc[0] < 3.5


def test_silence_hum_and_nothing_match_nothing():
    t = np.arange(4 * SR) / SR
    hum = np.float32(0.1 * np.sin(2 * np.pi * 100 * t))
    silence = np.zeros(4 * SR, dtype=np.float32)
    prints = [fingerprint(y, SR) for y in (silence, silence, hum, np.float32(0.5) * hum, silence[:10])]
    assert near_pairs(prints).empty
    assert near_pairs([]).empty
    assert near_pairs([Fingerprint(np.empty(0, np.uint64), np.empty(0, np.uint64))] * 3).empty


def test_padding_with_silence_does_not_hide_a_copy():
    y = sounds.tune(5, 1.0)
    padded = np.concatenate([np.zeros(SR, np.float32), y, np.zeros(3 * SR, np.float32)])
    others = [sounds.tune(seed, 1.0) for seed in range(6, 9)]
    pairs = near_pairs([fingerprint(z, SR) for z in [y, padded, *others]])
    assert pairs[["a", "b"]].values.tolist() == [[0, 1]]


def test_bats_are_heard_at_a_tenth_of_their_speed():
    rate = 384_000
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(size=rate))
    hz = np.fft.rfftfreq(rate, 1 / rate)
    # nothing below 20 kHz: at its own speed there is nothing to hear
    y = np.float32(np.fft.irfft(np.where((hz > 20_000) & (hz < 70_000), spectrum, 0)))
    y *= 0.1 / y.std()
    prints = [fingerprint(y, rate), fingerprint(0.3 * y[rate // 10 :], rate)]
    assert len(prints[0]) > 1000
    assert near_pairs(prints)["offset"].iloc[0] == pytest.approx(0.1, abs=0.001)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 60_000), min_size=1, max_size=4))
def test_blocks_of_any_size_give_the_same_fingerprint(cuts):
    y = sounds.rain(3, 3.0, RATE)
    whole = fingerprint(y, RATE)
    pieces = np.split(y, np.minimum(np.cumsum(cuts), len(y)))
    blocks = fingerprint_blocks(pieces, RATE)
    assert (blocks.code == whole.code).all()
    assert (blocks.reliable == whole.reliable).all()


def test_a_bit_says_whether_the_difference_between_bands_grew():
    """By the definition of Haitsma and Kalker, with a lag of four frames, written out for one frame."""
    from aurist.audit.fingerprint import LAG, N_FFT, band_edges

    y = sounds.rain(4, 1.0, RATE)
    edges = band_edges()
    window = np.hanning(N_FFT + 1)[:-1]

    def energy(frame):
        power = np.abs(np.fft.rfft(y[frame * HOP : frame * HOP + N_FFT] * window)) ** 2
        return np.array([10 * np.log10(power[a:b].sum()) for a, b in pairwise(edges)])

    frame = 20
    change = -np.diff(energy(frame + LAG)) + np.diff(energy(frame))
    word = int(fingerprint(y, RATE).code[frame])
    assert [bool(word >> band & 1) for band in range(64)] == (change > 0).tolist()


def test_a_long_sound_and_its_excerpt_are_indexed_by_the_same_keys():
    """Two minutes are indexed sparsely, four seconds of them densely; they must still meet."""
    y = np.concatenate([sounds.rain(0, 45.0), sounds.tune(0, 8.0), sounds.rain(1, 60.0)])
    pairs = near_pairs(
        [fingerprint(y, SR), fingerprint(y[47 * SR : 52 * SR], SR), fingerprint(sounds.tune(77), SR)]
    )
    assert pairs[["a", "b"]].values.tolist() == [[0, 1]]
    assert pairs["offset"].iloc[0] == pytest.approx(47.0, abs=0.01)


def test_copies_of_short_sounds_are_found_by_the_longer_keys_of_large_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    originals = [sounds.rain(seed)[:SR] for seed in range(5)]
    copies = [0.25 * y for y in originals]
    prints = [fingerprint(y, SR) for y in (*originals, *copies)]
    plain = near_pairs(prints)
    widened = candidates._widened
    monkeypatch.setattr(
        candidates, "_widened", lambda key, _: widened(key, 80_000_000)
    )  # those of a million sounds
    pairs = near_pairs(prints)
    assert list(zip(pairs["a"], pairs["b"], strict=True)) == [(i, i + 5) for i in range(5)]
    assert list(zip(plain["a"], plain["b"], strict=True)) == [(i, i + 5) for i in range(5)]


def test_blocks_and_parts_of_the_index_find_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    originals = [sounds.rain(seed)[: SR * (1 + seed % 3)] for seed in range(6)]
    prints = [fingerprint(y, SR) for y in (*originals, *(0.25 * y for y in originals), sounds.tune(1))]
    whole = near_pairs(prints)
    monkeypatch.setattr(candidates, "_AT_ONCE", 300)
    monkeypatch.setattr(candidates, "_SORTED", 200)
    monkeypatch.setattr(candidates, "_FRAMES_PER_BUCKET", 300)
    monkeypatch.setattr(candidates, "_HITS_AT_ONCE", 1)
    monkeypatch.setattr(near, "_COMPARED", 3)
    assert len(whole) >= 6 and near_pairs(prints).equals(whole)


def pairs_of(records: list[tuple[int, int, int]], common: int) -> list[tuple[int, int, int]]:
    """Sounds and offsets of pairs of records (key, sound, frame) that share a key, one by one."""
    runs = [
        [record for record in records if record[0] == key] for key in sorted({key for key, *_ in records})
    ]
    pairs = [
        (x, y)
        for run in runs
        for i, x in enumerate(run)
        for y in (run[i + 1 :] if len(run) <= common else run[i + 1 : i + 2])
    ]
    return sorted((x[1], y[1], x[2] - y[2]) for x, y in pairs if x[1] != y[1])


#: The last key has four frames, and is cut where three of them are left.
CUT = {(key, 0, 0) for key in range(4)} | {(key, 1, 0) for key in range(4)}
CUT |= {(0, 2, 0), (1, 0, 1), (2, 0, 1), (2, 2, 0), (3, 0, 1), (3, 0, 2)}


@settings(max_examples=50, deadline=None)
@given(
    records=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9)), max_size=40),
    common=st.integers(2, 9),
)
@example(records=CUT, common=3)
def test_repeats_are_all_pairs_of_a_key_and_neighbours_of_a_common_one(
    records: set[tuple[int, int, int]], common: int
) -> None:
    from aurist.audit._kernels import repeats

    packed = [key << 44 | sound << 24 | frame for key, sound, frame in sorted(records)]
    rows = np.array([(number, 0, 0) for number in packed], np.uint64).reshape(-1, 3)
    order = np.array([number >> 44 << 44 | row for row, number in enumerate(packed)], np.uint64)
    out, first, pairs = np.empty(common**2, np.uint64), 0, []
    while first < len(order):
        n, first = repeats(rows, order, np.uint64(0), common, first, out)
        pairs += out[:n].tolist()
    unpacked = [(pair >> 44, pair >> 24 & 0xFFFFF, (pair & 0xFFFFFF) - (1 << 23)) for pair in pairs]
    assert sorted(unpacked) == pairs_of(sorted(records), common)


def test_very_many_copies_of_one_sound_are_connected_with_few_pairs() -> None:
    one, other = fingerprint(sounds.tune(1, 1.0), SR), fingerprint(sounds.tune(2, 1.0), SR)
    n = 300
    pairs = near_pairs([one] * n + [other])
    assert connect_sets(n + 1, pairs[["a", "b"]].to_numpy()).tolist() == [0] * n + [1]
    assert len(pairs) < 2 * n


def test_more_sounds_than_have_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST", 2)
    empty = Fingerprint(np.empty(0, np.uint64), np.empty(0, np.uint64))
    assert near_pairs([empty, empty]).empty
    with pytest.raises(DataError, match=r"3 recordings are too many .* near_duplicates=False"):
        near_pairs([empty] * 3)
