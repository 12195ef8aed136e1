"""Lengths come from what can be decoded: files whose headers say nothing, or something else."""

import io
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.audio import UnreadableAudioError, decode_full, open_audio, probe, read
from aurist.audio.layout import FilePart
from aurist.audit import audit
from aurist.automl import annotated
from aurist.clips import make_clips

RATE, N = 16000, 48000
ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def sound(n: int = N, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """A chirp that becomes noise: an encoder of variable rate finds both."""
    rng = np.random.default_rng(0)
    t = np.arange(n) / rate
    y = 0.3 * np.sin(2 * np.pi * (200 + 400 * t) * t)
    y += np.where(t > t[-1] / 2, 0.2, 0.001) * rng.standard_normal(n)
    return (y[:, None] * np.linspace(1, 0.5, channels)).astype(np.float32)


def encoded(
    form: str, subtype: str | None = None, y: np.ndarray | None = None, rate: int = RATE, **options
) -> bytearray:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound() if y is None else y, rate, format=form, subtype=subtype, **options)
    return bytearray(buffer.getvalue())


def patched(raw: bytes, at: int, form: str, value: int) -> bytearray:
    raw = bytearray(raw)
    struct.pack_into(form, raw, at, value)
    return raw


def check(path: Path, raw: bytes, expected: np.ndarray, note: str = "", atol: float = 1e-6) -> None:
    """All is heard, by probe, as a whole, in blocks and in spans, and nothing is called truncated."""
    path.write_bytes(raw)
    info = probe(path)
    assert info.frames == len(expected)
    assert (note in info.note) if note else not info.note
    decoded = decode_full(path)
    assert not decoded.truncated
    np.testing.assert_allclose(decoded.samples, expected, atol=atol)
    with open_audio(path) as source:
        assert sum(map(len, source.blocks(1000, None))) == len(expected) - 1000
        assert not source.truncated and not source.gaps
    for start, end in ((0.5, 0.9), (1.2345, 2.5), (len(expected) / info.sample_rate - 0.2, 1000)):
        first, last = round(start * info.sample_rate), round(end * info.sample_rate)
        np.testing.assert_allclose(
            read(path, start=start, end=end)[0], expected[first:last], atol=max(atol, 1e-5)
        )


NOTHING, SAYS = "its header gives no length; 3.0 s of sound were found", "its header says "
CODINGS = ["PCM_16", "PCM_24", "PCM_U8", "FLOAT", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32"]


@pytest.mark.parametrize("subtype", CODINGS)
@pytest.mark.parametrize(
    ("size", "note"),
    [
        (0, "its header gives no length"),
        (0xFFFFFFFF, "its header gives no length"),
        (0x7FFFFFFF - 36, "its header gives no length"),
        (2_000_000_000, SAYS),
        (1 << 28, SAYS),
        (2_000, SAYS),
    ],
)
def test_wav_whose_size_was_never_written(tmp_path, subtype, size, note):
    raw = encoded("WAV", subtype)
    expected = soundfile.read(io.BytesIO(raw), dtype="float32")[0]
    at = raw.index(b"data") + 4
    stale = patched(raw, 4, "<I", min(at + size, 0xFFFFFFFF)) if size else raw
    check(tmp_path / "a.wav", patched(stale, at, "<I", size), expected, note)


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
@pytest.mark.parametrize("stated", [None, 0, 1 << 40, (1 << 64) - 1, N * 2])
def test_wav_of_64_bits_whose_size_was_never_written(tmp_path, magic, stated):
    raw = encoded("RF64", "PCM_16")
    expected = soundfile.read(io.BytesIO(raw), dtype="float32")[0]
    raw[:4] = magic
    at = raw.index(b"ds64")
    if stated is None:
        raw[at : at + 4] = b"JUNK"
    else:
        raw = patched(raw, at + 16, "<Q", stated)
    note = "" if stated == N * 2 else SAYS if stated == 1 << 40 else NOTHING
    check(tmp_path / "a.wav", raw, expected, note)


@pytest.mark.parametrize(
    ("form", "chunk", "width", "sizes"),
    [
        ("AIFF", b"SSND", ">I", [0, 8, 0xFFFFFFFF, 5000]),
        ("CAF", b"data", ">q", [-1, 0, 4, 5000]),
        ("W64", b"data", "<Q", [0, 24, (1 << 63) - 1, 1 << 40, 5000]),
        ("AU", b".snd", ">I", [0, 0xFFFFFFFF, 0x7FFFFFFF, 5000]),
    ],
)
def test_other_containers_whose_size_was_never_written(tmp_path, form, chunk, width, sizes):
    raw = encoded(form, "PCM_16")
    expected = soundfile.read(io.BytesIO(raw), dtype="float32")[0]
    at = raw.index(chunk) + {"W64": 16, "AU": 8}.get(form, 4)
    check(tmp_path / "whole", raw, expected)
    for size in sizes:
        check(
            tmp_path / f"a{size}",
            patched(raw, at, width, size),
            expected,
            SAYS if 5000 <= size <= 1 << 40 and size != 0xFFFFFFFF and size != 0x7FFFFFFF else NOTHING,
        )


@pytest.mark.parametrize("form", ["WAV", "AIFF", "W64", "AU", "CAF", "RF64"])
def test_a_real_loss_is_still_said(tmp_path, form):
    path = tmp_path / "a"
    raw = encoded(form, "PCM_16")
    path.write_bytes(raw[: len(raw) // 2])
    info = probe(path)
    assert info.promised == pytest.approx(N, abs=10) and 0.4 * N < info.frames < 0.5 * N
    assert decode_full(path).truncated and not info.note
    assert len(read(path)[0]) == info.frames


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0",
        b"LIST" + struct.pack("<I", 4000) + b"INFO" + b"a" * 3996,
        b"TAG" + b"x" * 125 * 20,
        bytes(20_000),
        b"<?xpacket begin='?'" + b"y" * 5000,
        b"\0",
    ],
)
def test_what_follows_the_sound_is_no_sound(tmp_path, behind):
    raw = encoded("WAV", "PCM_16")
    expected = soundfile.read(io.BytesIO(raw), dtype="float32")[0]
    check(tmp_path / "a.wav", raw + behind, expected)
    path = tmp_path / "empty.wav"
    path.write_bytes(encoded("WAV", "PCM_16", np.zeros(0, np.float32)) + behind)
    assert probe(path).frames == 0


def test_files_one_behind_the_other_are_heard(tmp_path):
    for form in ("WAV", "FLAC"):
        first_file, second_file = (
            soundfile.read(io.BytesIO(encoded(form, "PCM_16", sound(n))), dtype="float32")[0]
            for n in (N, N // 2)
        )
        raw = encoded(form, "PCM_16") + encoded(form, "PCM_16", sound(N // 2))
        check(tmp_path / "a", raw, np.concatenate([first_file, second_file]))


def flac_of(total: int, y: np.ndarray | None = None) -> bytearray:
    raw = encoded("FLAC", "PCM_16", y)
    raw[21] = raw[21] & 0xF0 | total >> 32
    return patched(raw, 22, ">I", total & 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("total", "note"), [(0, NOTHING), ((1 << 36) - 1, NOTHING), (N * 10_000, SAYS), (N // 2, SAYS), (N, "")]
)
def test_flac_whose_length_was_never_written(tmp_path, total, note):
    expected = soundfile.read(io.BytesIO(encoded("FLAC", "PCM_16")), dtype="float32")[0]
    for before, behind in (
        (b"", b""),
        (b"ID3\4\0\0\0\0\0\x14" + bytes(20), b"TAG" + b"x" * 125),
        (b"", bytes(99_999)),
    ):
        check(tmp_path / "a.flac", before + flac_of(total) + behind, expected, note)


def test_flac_of_one_frame_and_of_a_lost_end(tmp_path):
    path = tmp_path / "a.flac"
    path.write_bytes(flac_of(0, sound(1000)))
    assert probe(path).frames == len(read(path)[0]) == 1000
    for total in (0, N):
        raw = flac_of(total)
        path.write_bytes(raw[: len(raw) // 2])
        decoded = decode_full(path)
        assert decoded.truncated and decoded.info.frames == len(decoded.samples) < 0.7 * N
        assert decoded.info.frames % 4096 == 0
        assert decoded.info.promised == (N if total else decoded.info.frames)


def test_a_whole_file_is_not_looked_through(tmp_path, monkeypatch):
    """A day of sound must not be read to be known."""
    looked_at = 0
    at = FilePart.at

    def counted(self, offset, count):
        nonlocal looked_at
        chunk = at(self, offset, count)
        looked_at += len(chunk)
        return chunk

    monkeypatch.setattr(FilePart, "at", counted)
    monkeypatch.setattr(FilePart, "mapped", None)
    y = np.random.default_rng(0).normal(0, 0.1, (1_000_000, 1)).astype(np.float32)
    for form in ("FLAC", "WAV", "AIFF", "RF64"):
        path = tmp_path / f"a.{form}"
        path.write_bytes(encoded(form, "PCM_16", y))
        before = looked_at
        assert probe(path).frames == len(y)
        assert looked_at - before < 80_000 < path.stat().st_size


def mp3(y: np.ndarray | None = None, rate: int = RATE, mode: str = "VARIABLE") -> bytes:
    return bytes(encoded("MP3", y=y, rate=rate, bitrate_mode=mode, compression_level=0.6))


def first_frame(raw: bytes) -> int:
    """Bytes of the frame that holds the count."""
    at = raw.index(raw[:2], 4)
    while raw[at + 2] & 0x0C != raw[2] & 0x0C:
        at = raw.index(raw[:2], at + 1)
    return at


def decoded_without_count(raw: bytes, rate: int) -> tuple[np.ndarray, int]:
    """The first channel as its encoder means it, and the samples of all frames less the decoder's own delay."""
    samples = 1152 if rate >= 32000 else 576
    whole = soundfile.read(io.BytesIO(raw), dtype="float32", always_2d=True)[0][:, 0]
    n = struct.unpack_from(">I", raw, max(raw.find(b"Info"), raw.find(b"Xing")) + 8)[0]
    return whole, n * samples - 529


#: Samples of silence that LAME puts before the sound.
DELAY = 576


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 2), (8000, 1), (32000, 2), (24000, 1)])
def test_mp3_without_a_count(tmp_path, mode, rate, channels):
    raw = mp3(sound(4 * rate, rate, channels), rate, mode)
    whole, n = decoded_without_count(raw, rate)
    path = tmp_path / "a.mp3"
    tagged = b"ID3\4\0\0\0\0\0\x14" + bytes(20), b"TAG" + b" " * 125
    for before, behind in ((b"", b""), tagged, (bytes(300), bytes(9999))):
        path.write_bytes(before + raw[first_frame(raw) :] + behind)
        decoded = decode_full(path)
        assert (
            decoded.info.frames == len(decoded.samples) == n
            and not decoded.truncated
            and not decoded.info.note
        )
        # the encoder's delay is told with its count alone
        first_channel = read(path, channel=0)[0][DELAY:]
        np.testing.assert_allclose(first_channel[: len(whole)], whole[: len(first_channel)], atol=1e-4)


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
def test_spans_and_blocks_of_an_mp3_are_those_of_the_whole(tmp_path, monkeypatch, mode):
    """A frame takes bytes from those before it: what a seek finds at once is not what is heard."""
    path = tmp_path / "a.mp3"
    path.write_bytes(mp3(sound(6 * 44100, 44100, 2), 44100, mode))
    whole = soundfile.read(path, dtype="float32")[0][:, 0]
    for start in np.arange(0.05, 5.5, 0.31):
        samples = read(path, start=float(start), end=float(start) + 0.2, channel=0)[0]
        np.testing.assert_allclose(samples, whole[round(start * 44100) :][: len(samples)], atol=1e-5)
    monkeypatch.setattr("aurist.audio.sndfile._BLOCK", 7000)
    np.testing.assert_allclose(read(path, channel=0)[0], whole, atol=1e-5)


def test_mp3s_one_behind_the_other(tmp_path):
    first_file, second_file = mp3(), mp3(sound(2 * N))
    path = tmp_path / "a.mp3"
    path.write_bytes(first_file + second_file)
    n = sum(decoded_without_count(raw, RATE)[1] for raw in (first_file, second_file))
    info = probe(path)
    assert abs(info.frames - n) < 4 * 1152 and "its header says" in info.note
    assert info.frames == len(read(path)[0]) and not decode_full(path).truncated
    whole = soundfile.read(io.BytesIO(first_file), dtype="float32")[0]
    np.testing.assert_allclose(read(path)[0][:40000], whole[:40000], atol=1e-5)
    # of other rates and channels, tags between them
    for rate, channels in ((44100, 1), (16000, 2), (8000, 2)):
        tag = b"ID3\4\0\0\0\0\0\x14" + bytes(20)
        path.write_bytes(
            first_file[first_frame(first_file) :] + tag + mp3(sound(4 * rate, rate, channels), rate)[:]
        )
        info = probe(path)
        assert (info.sample_rate, info.channels) == (RATE, 1)
        assert info.duration == pytest.approx(7, abs=0.3)
        decoded = decode_full(path)
        assert len(decoded.samples) == info.frames and not decoded.truncated
        assert ("resampled" in info.note) == (rate != RATE)


def test_mp3_with_junk_between_its_frames(tmp_path):
    raw = mp3(mode="CONSTANT")[first_frame(mp3(mode="CONSTANT")) :]
    path = tmp_path / "a.mp3"
    path.write_bytes(raw)
    n = probe(path).frames
    size = raw.index(raw[:3], 4)
    junk = bytes(np.random.default_rng(1).integers(0, 250, 5000, dtype=np.uint8))
    path.write_bytes(raw[: 20 * size] + junk + raw[20 * size :])
    info = probe(path)
    assert info.frames == len(read(path)[0]) == n
    assert info.note == "5,000 bytes within it are no sound; sound after them may come too early"


def test_mp3_of_a_size_that_is_in_no_header(tmp_path):
    raw = bytearray(mp3(sound(4 * 32000, 32000), 32000, "CONSTANT"))
    raw = raw[first_frame(raw) :]
    size = raw.index(raw[:3], 4)
    path = tmp_path / "a.mp3"
    path.write_bytes(raw)
    n, whole = probe(path).frames, read(path)[0]
    for at in range(0, len(raw), size):
        raw[at + 2] &= 0x0F
    path.write_bytes(raw)
    assert probe(path).frames == n
    np.testing.assert_allclose(read(path)[0], whole, atol=1e-5)


def test_mp3_of_a_lost_end(tmp_path):
    raw = mp3(sound(4 * 44100, 44100), 44100)
    path = tmp_path / "a.mp3"
    for begin in (0, first_frame(raw)):
        path.write_bytes(raw[begin : len(raw) // 2])
        decoded = decode_full(path)
        assert decoded.truncated and decoded.info.frames == len(decoded.samples) < 3 * 44100
        assert (decoded.info.promised > 170_000) == (begin == 0)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_chains_of_ogg(tmp_path, subtype):
    first_file, second_file = (
        encoded("OGG", subtype, sound(2 * N, 48000), 48000),
        encoded("OGG", subtype, sound(N, 48000), 48000),
    )
    ours = [soundfile.read(io.BytesIO(raw), dtype="float32")[0] for raw in (first_file, second_file)]
    check(tmp_path / "a.ogg", first_file + second_file, np.concatenate(ours))
    # the same serial number in each
    check(tmp_path / "b.ogg", first_file + first_file + first_file, np.concatenate([ours[0]] * 3))
    # a link of another rate, with more channels
    path = tmp_path / "c.ogg"
    path.write_bytes(first_file + encoded("OGG", subtype, sound(N, 24000, 2), 24000))
    info = probe(path)
    if subtype == "VORBIS":
        assert (
            "parts of it have 24,000 Hz, and were resampled to 48,000 Hz, the rate of the first" in info.note
        )
    whole = read(path)[0]
    assert info.frames == len(whole) == 2 * N + 2 * N
    other = sound(2 * N, 48000)[:, 0] * 0.75
    rest = whole[2 * N :]
    assert np.corrcoef(rest[:N], other[:N])[0, 1] > 0.9
    for start, end in ((1.9, 2.1), (2.5, 3.9), (3.0, 100)):
        samples = read(path, start=start, end=end)[0]
        np.testing.assert_allclose(samples, whole[round(start * 48000) : round(end * 48000)], atol=1e-3)
    # of a chain whose first link lost its end the second one is heard
    path.write_bytes(first_file[: len(first_file) // 2] + second_file)
    assert N < probe(path).frames < 2.6 * N
    path.write_bytes(first_file + second_file[: len(second_file) // 2])
    assert decode_full(path).truncated


def test_a_long_chain_of_one_serial_number(tmp_path):
    """It is not looked through, and is found all the same."""
    y = np.random.default_rng(0).normal(0, 0.3, 48000 * 20).astype(np.float32)
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 48000, 1, "VORBIS", format="OGG") as file:
        # at once it would be more than libvorbis holds
        for begin in range(0, len(y), 48000):
            file.write(y[begin : begin + 48000])
    first_file = buffer.getvalue()
    path = tmp_path / "a.ogg"
    path.write_bytes(first_file * 6)
    assert path.stat().st_size > 1 << 20 and probe(path).frames == 6 * len(y)


@pytest.mark.parametrize("rate", [1, 8, 19, 10_000_001, 2**31 - 1])
def test_a_rate_that_no_recording_has(tmp_path, rate):
    path = tmp_path / "a.wav"
    path.write_bytes(patched(encoded("WAV", "PCM_16"), 24, "<I", rate))
    match = rf"has a sample rate of {rate} Hz in its header, and recordings have 20 Hz to 10 MHz. .*damaged"
    with pytest.raises(UnreadableAudioError, match=match):
        probe(path)
    result = audit(make_clips([("a",)], paths=[str(path)]), progress=False, cache_dir=None)
    assert result.broken["kind"].tolist() == ["unreadable"]


@pytest.mark.parametrize("rate", [20, 500_000, 2_000_000])
def test_rates_of_infrasound_of_bats_and_of_hydrophones(tmp_path, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(5000), rate)
    assert probe(path).sample_rate == rate


def test_few_bytes_that_would_fill_the_memory_are_refused(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros(20 * 65536, np.int16), 100)
    assert path.stat().st_size < 8192
    with pytest.raises(
        UnreadableAudioError, match=r"100 Hz in its header, and at the 22050 Hz wanted .* 1\.2 GB"
    ):
        read(path, 22050)
    assert len(read(path, 22050, start=10, end=20)[0]) == 220500
    assert len(read(path, 400)[0]) == 4 * 20 * 65536


@ffmpeg
def test_a_rate_that_no_recording_has_is_refused_of_ffmpeg_too(tmp_path):
    path = tmp_path / "a.mka"
    soundfile.write(tmp_path / "a.raw", sound(8000), 8000, "PCM_16", format="RAW")
    source = ["-f", "s16le", "-ar", "1", "-i", tmp_path / "a.raw"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-c", "copy", path], check=True)
    with pytest.raises(UnreadableAudioError, match=r"sample rate of 1 Hz in its header, and recordings have"):
        probe(path)


def test_links_of_a_chain_at_a_rate_that_cannot_be_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("aurist.audio.chain._MAX_RATIO", 2)
    path = tmp_path / "a.ogg"
    path.write_bytes(
        encoded("OGG", "VORBIS") + encoded("OGG", "VORBIS", rate=48000) + encoded("OGG", "VORBIS")
    )
    info = probe(path)
    assert info.frames == 2 * len(sound()) and "1 of its 3 parts cannot be decoded" in info.note


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere libmpg123 is not silenced")
def test_damage_in_an_mp3_writes_nothing_to_standard_error(tmp_path):
    raw = bytearray(mp3(sound(20 * RATE), mode="CONSTANT"))
    for at in np.random.default_rng(0).integers(2000, len(raw), 60):
        raw[at] ^= 0xFF
    path = tmp_path / "a.mp3"
    path.write_bytes(raw)
    code = "import sys; from aurist.audio import decode_full; decode_full(sys.argv[1]); print('heard', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stderr == "heard\n"


def test_annotated_recordings_are_cut_by_what_is_there(tmp_path):
    recordings, tables = tmp_path / "recordings", tmp_path / "tables"
    recordings.mkdir(), tables.mkdir()
    wav = encoded("WAV", "PCM_16")
    at = wav.index(b"data") + 4
    files = {
        "never.wav": patched(wav, at, "<I", 0),
        "placeholder.wav": patched(wav, at, "<I", 2_000_000_000),
        "pipe.flac": flac_of(0),
        "chained.ogg": encoded("OGG", "VORBIS") + encoded("OGG", "VORBIS"),
        "cut.wav": wav[: 44 + N],
    }
    rows = ["path,start,end,label"]
    for name, raw in files.items():
        (recordings / name).write_bytes(raw)
        rows += [
            f"{name},0.2,0.8,a",
            f"{name},{5 if name == 'chained.ogg' else 2},2.5,b".replace("5,2.5", "5,5.5"),
        ]
    (tables / "a.csv").write_text("\n".join(rows))
    clips = annotated.read_annotated(recordings, tables, annotated.CutOptions(window=1))
    ends = clips.table.groupby("path")["end"].max().to_dict()
    assert ends == {"never.wav": 3, "placeholder.wav": 3, "pipe.flac": 3, "chained.ogg": 6, "cut.wav": 1.5}
    notes = "\n".join(clips.notes)
    assert (
        f"never.wav: {NOTHING}" in notes
        and f"pipe.flac: {NOTHING}" in notes
        and "placeholder.wav: its header" in notes
    )
    assert (
        "cut.wav ends after 1.5 s, though its header says 3.0 s: its end is missing, and 1 annotation there left"
        in notes
    )
    assert "chained.ogg:" not in notes


def test_check_tells_of_wrong_headers(tmp_path):
    wav = encoded("WAV", "PCM_16")
    (tmp_path / "a.wav").write_bytes(patched(wav, wav.index(b"data") + 4, "<I", 0))
    broken = audit(
        make_clips([("a",)], paths=[str(tmp_path / "a.wav")]), progress=False, cache_dir=None
    ).broken
    assert broken[["kind", "fatal", "detail"]].to_numpy().tolist() == [["wrong header", False, NOTHING]]


@ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.aac", ()),
        ("a.webm", ("-c:a", "libopus", "-live", "1")),
        ("a.mka", ("-c:a", "libvorbis", "-live", "1")),
        ("a.m4a", ("-movflags", "frag_keyframe+empty_moov")),
        ("a.m4a", ()),
        ("a.ac3", ()),
    ],
)
def test_without_a_length_packets_are_counted(tmp_path, name, options):
    source, path = tmp_path / "source.wav", tmp_path / name
    soundfile.write(source, sound(48000 * 7, 48000), 48000)
    command = ["ffmpeg", "-v", "error", "-i", source, *options, path]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this ffmpeg does not write it")
    info = probe(path)
    assert info.duration == pytest.approx(7, abs=0.1)
    assert ("gives no length" in info.note) == ("-live" in options)
    decoded = decode_full(path)
    assert abs(len(decoded.samples) - info.frames) < 0.05 * 48000 and not decoded.truncated
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    os.utime(path, ns=(1, 1))
    if name != "a.m4a" or options:
        assert 4 < probe(path).duration < 5.5
        assert decode_full(path).info.duration == probe(path).duration


@pytest.mark.parametrize(
    ("name", "seconds", "note"),
    [
        ("vbr_without_xing.mp3", 60.02, ""),
        ("cbr_without_xing.mp3", 60.02, ""),
        ("wav_never_closed.wav", 3.5, "its header gives no length"),
        ("wav_placeholder_size.wav", 3.5, "its header says 22,675.7 s; 3.5 s of sound were found"),
        ("flac_unknown_length.flac", 3.5, "its header gives no length"),
        ("chained.ogg", 7.0, ""),
        ("gsm610.wav", 3.541, ""),
        pytest.param("browser_without_length.webm", 60.0, "its header gives no length", marks=ffmpeg),
    ],
)
def test_files_of_the_wild(data_dir, name, seconds, note):
    path = data_dir.parent / "cases" / "audio" / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    decoded = decode_full(path)
    assert decoded.info.duration == pytest.approx(seconds, abs=0.03)
    assert len(decoded.samples) == pytest.approx(decoded.info.frames, abs=0.03 * decoded.info.sample_rate)
    assert note in decoded.info.note and not decoded.truncated
    assert len(read(path, start=1, end=1.5)[0]) == pytest.approx(0.5 * decoded.info.sample_rate, abs=1)
