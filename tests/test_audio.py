import io
import os
import pickle
import stat
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.audio import UnreadableAudioError, decode_full, ffmpeg_pipe, open_audio, probe, read, resample
from aurist.errors import DataError


def sound(seconds: float = 1.0, rate: int = 44100, channels: int = 1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    chirp = 0.4 * np.sin(2 * np.pi * (200 + 1500 * t) * t)
    noise = 0.05 * rng.standard_normal((len(t), channels))
    return (chirp[:, None] * np.linspace(1, 0.5, channels) + noise).astype(np.float32)


def write(path: Path, y: np.ndarray, rate: int = 44100, **options: str) -> Path:
    soundfile.write(path, y, rate, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options", "close"),
    [
        ("a.wav", {"subtype": "FLOAT"}, 0),
        ("a.wav", {"subtype": "PCM_16"}, 1e-4),
        ("a.wav", {"subtype": "PCM_U8"}, 1e-2),
        ("a.wav", {"subtype": "ALAW"}, 3e-2),
        ("a.FLAC", {"format": "FLAC"}, 1e-4),
        ("a.aiff", {}, 1e-4),
        ("a.au", {}, 1e-4),
    ],
)
def test_decodes_what_was_written(tmp_path, name, options, close):
    y = sound()[:, 0]
    path = write(tmp_path / name, y, **options)
    info = probe(path)
    samples, rate = read(path)
    assert (info.sample_rate, info.frames, info.channels, rate) == (44100, len(y), 1, 44100)
    assert info.duration == 1.0
    assert samples.dtype == np.float32 and samples.ndim == 1 and samples.flags.c_contiguous
    np.testing.assert_allclose(samples, y, atol=close)
    assert not decode_full(path).truncated


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg"])
def test_decodes_lossy_formats(tmp_path, name):
    y = sound()[:, 0]
    decoded = decode_full(write(tmp_path / name, y))
    assert not decoded.truncated
    samples = decoded.samples[: len(y)]
    assert np.corrcoef(samples, y[: len(samples)])[0, 1] > 0.95


def test_kind_is_told_by_content_and_not_by_name(tmp_path):
    y = sound()[:, 0]
    buffer = io.BytesIO()
    soundfile.write(buffer, y, 44100, format="MP3")
    for name in ("mp3.wav", "mp3.raw", "none"):
        (tmp_path / name).write_bytes(buffer.getvalue())
    assert probe(tmp_path / "mp3.wav").format == "MP3"
    assert len(read(tmp_path / "none")[0]) == len(y)
    assert len(read(tmp_path / "mp3.raw")[0]) == len(y)


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_downmix_is_the_mean_and_a_channel_is_itself(tmp_path, channels):
    y = sound(channels=channels)
    path = write(tmp_path / "a.wav", y, subtype="FLOAT")
    np.testing.assert_allclose(read(path)[0], y.mean(axis=1), atol=1e-6)
    for channel in range(channels):
        samples = read(path, channel=channel)[0]
        assert samples.flags.c_contiguous
        np.testing.assert_array_equal(samples, y[:, channel])
    with pytest.raises(DataError, match=rf"has {channels} channel"):
        read(path, channel=channels)


@settings(max_examples=60, deadline=None)
@given(
    rates=st.sampled_from([(44100, 22050), (48000, 22050), (11127, 22050), (44100, 44101), (8000, 16000)]),
    start=st.floats(0, 2.9),
    length=st.floats(0.01, 3),
)
def test_span_equals_the_cut_of_the_whole(tmp_path_factory, rates, start, length):
    rate, target = rates
    path = tmp_path_factory.getbasetemp() / f"span{rate}.wav"
    if not path.exists():
        write(path, sound(3, rate, 2), rate, subtype="FLOAT")
    for target_rate in (None, target):
        whole, r = read(path, target_rate)
        samples, _ = read(path, target_rate, start=start, end=start + length)
        expected = whole[round(start * r) : round((start + length) * r)]
        assert samples.shape == expected.shape
        np.testing.assert_allclose(samples, expected, atol=2e-6)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.flac"])
def test_seeks_are_exact_in_compressed_files(tmp_path, name):
    path = write(tmp_path / name, sound(6)[:, 0])
    whole, rate = read(path)
    for start in (0.5, 1.2345, 4.1):
        samples = read(path, start=start, end=start + 0.5)[0]
        np.testing.assert_allclose(samples, whole[round(start * rate) :][: len(samples)], atol=1e-5)
        assert len(samples) == round((start + 0.5) * rate) - round(start * rate)


def test_resampling_is_soxr_hq(tmp_path):
    y = sound(rate=48000)[:, 0]
    path = write(tmp_path / "a.wav", y, 48000, subtype="FLOAT")
    samples, rate = read(path, 22050)
    assert rate == 22050
    np.testing.assert_allclose(samples, soxr.resample(y, 48000, 22050, quality="HQ"), atol=1e-7)


def test_coprime_rates_take_no_memory_to_speak_of():
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    y = resample(sound(1, 44101)[:, 0], 44101, 22051)
    assert abs(len(y) - 22051) <= 1
    # a polyphase bank for this pair would be of gigabytes (ru_maxrss is in KiB, in bytes on a Mac)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown / (1024 if sys.platform == "darwin" else 1) < 200 * 1024


def test_absurd_rate_is_an_error(tmp_path):
    path = write(tmp_path / "a.wav", sound()[:, 0], 44100)
    raw = bytearray(path.read_bytes())
    raw[24:28] = struct.pack("<I", 1)
    path.write_bytes(raw)
    with pytest.raises(UnreadableAudioError, match="sample rate of 1 Hz"):
        read(path, 22050)
    with pytest.raises(DataError, match="ratio"):
        resample(np.zeros(10, np.float32), 1, 22050)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.mp3"])
def test_truncated_files_give_what_is_there_and_say_so(tmp_path, name):
    y = sound(4)[:, 0]
    path = write(tmp_path / name, y)
    assert not decode_full(path).truncated
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    decoded = decode_full(path)
    assert decoded.truncated
    assert 0.2 * len(y) < len(decoded.samples) < 0.8 * len(y)
    if name != "a.ogg":  # Ogg promises no length
        assert abs(decoded.info.promised - len(y)) < 5000
    assert decoded.info.frames == len(decoded.samples) and not decoded.info.note
    assert len(read(path)[0]) == len(decoded.samples)


def damaged(path: Path, share: float, n: int) -> Path:
    """So many bytes turned over behind a share of a file."""
    raw = bytearray(path.read_bytes())
    at = round(share * len(raw))
    raw[at : at + n] = bytes(byte ^ 0x55 for byte in raw[at : at + n])
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("seconds", [15, 90])  # within a block that is decoded at once, and in several
@pytest.mark.parametrize(("share", "n"), [(0.1, 1), (0.6, 1), (0.5, 20_000)])
def test_damage_in_the_middle_is_silence_and_what_follows_stays_in_its_place(tmp_path, seconds, share, n):
    y = sound(seconds, 16000)[:, 0]
    path = write(tmp_path / "a.flac", y, 16000)
    whole = read(path)[0]
    size = path.stat().st_size
    damaged(path, share, n)
    decoded = decode_full(path)
    assert not decoded.truncated and len(decoded.samples) == len(y)
    with open_audio(path) as source:
        assert sum(map(len, source.blocks(0, None))) == len(y)
        ((first, last),) = source.gaps
    assert last - first < n / size * len(y) + 2 * 4096
    assert not decoded.samples[first:last].any()
    np.testing.assert_array_equal(decoded.samples[:first], whole[:first])
    np.testing.assert_array_equal(decoded.samples[last:], whole[last:])
    # and any span of it
    for start, end in ((first - 5000, last + 5000), (first - 5000, first + 10), (last, last + 100)):
        samples = read(path, start=start / 16000, end=end / 16000)[0]
        assert len(samples) == end - start
        if start < first:
            np.testing.assert_array_equal(samples[: first - start], whole[start:first])
        if last < end:
            np.testing.assert_array_equal(samples[last - start :], whole[last:end])


def test_damage_twice_in_a_file(tmp_path):
    y = sound(60, 16000)[:, 0]
    path = write(tmp_path / "a.flac", y, 16000)
    damaged(damaged(path, 0.25, 10), 0.75, 10)
    with open_audio(path) as source:
        assert sum(map(len, source.blocks(0, None))) == len(y) and not source.truncated
        assert [round((a + b) / 2 / len(y), 1) for a, b in source.gaps] == pytest.approx(
            [0.25, 0.75], abs=0.06
        )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_audio(path) as source:
        assert 0.4 * len(y) < sum(map(len, source.blocks(0, None))) < 0.6 * len(y)
        assert source.truncated and len(source.gaps) == 1


def test_a_damaged_file_that_is_taken_away_meanwhile_is_told_of(tmp_path):
    path = damaged(write(tmp_path / "a.flac", sound(15, 16000)[:, 0], 16000), 0.5, 10)
    with open_audio(path) as source:
        path.unlink()
        with pytest.raises(UnreadableAudioError, match=r"a\.flac cannot be read any more"):
            list(source.blocks(0, None))


@pytest.mark.parametrize("kind", ["flac", "wav", "mp3", "ogg"])
def test_what_was_never_written_is_no_damage_within(tmp_path, kind):
    """A download that was given its room on the disk first: behind what came there are zeros."""
    path = write(tmp_path / f"a.{kind}", sound(20, 16000)[:, 0], 16000)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] + bytes(len(raw) - len(raw) // 2))
    with open_audio(path) as source:
        decoded_frames = sum(map(len, source.blocks(0, None)))
        assert not source.gaps and (decoded_frames < 0.6 * 320_000 or kind == "wav")


def test_behind_damage_in_an_mp3_nobody_knows_the_time(tmp_path):
    y = sound(60, 16000)[:, 0]
    decoded = decode_full(damaged(write(tmp_path / "a.mp3", y, 16000), 0.5, 20_000))
    assert decoded.truncated and 0.4 * len(y) < len(decoded.samples) < 0.6 * len(y)


def test_wav_of_unknown_length_is_not_truncated(tmp_path):
    path = write(tmp_path / "a.wav", sound()[:, 0])
    raw = bytearray(path.read_bytes())
    raw[4:8] = raw[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(raw)
    decoded = decode_full(path)
    assert not decoded.truncated and len(decoded.samples) == 44100


def sparse_wav(path: Path, stated: int, samples: int, subtype: str, frame: int, trailer: bytes = b"") -> Path:
    """So many samples of silence, whatever the header says of their bytes, a second of a tone at their end."""
    write(path, np.zeros(0, np.float32), 48000, subtype=subtype)
    head = bytearray(path.read_bytes())
    at = head.index(b"data") + 4
    head[at : at + 4] = struct.pack("<I", stated)
    head = head[: at + 4]
    write(path, sound(1, 48000)[:, 0], 48000, subtype=subtype)
    tone = path.read_bytes()[-48000 * frame :]
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + (samples - 48000) * frame)
        file.write(tone + trailer)
    return path


@pytest.mark.parametrize(("subtype", "frame"), [("PCM_16", 2), ("PCM_24", 3), ("FLOAT", 4)])
@pytest.mark.parametrize("header", ["wrapped", "nothing"])
def test_a_wav_of_more_bytes_than_its_header_counts_is_heard_whole(tmp_path, subtype, frame, header):
    n = (1 << 32) // frame + 20 * 48000
    stated, trailer = (
        (n * frame % (1 << 32), b"LIST\x04\0\0\0abcd") if header == "wrapped" else (0xFFFFFFFF, b"")
    )
    path = sparse_wav(tmp_path / "a.wav", stated, n, subtype, frame, trailer)
    info = probe(path)
    assert (info.frames, info.format, info.subtype) == (n, "WAV", subtype)
    whole = n / 48000
    samples, _ = read(path, start=whole - 2)
    assert len(samples) == 2 * 48000 and not samples[:48000].any()
    np.testing.assert_allclose(samples[48000:], sound(1, 48000)[:, 0], atol=1e-4)
    with open_audio(path) as source:
        assert sum(map(len, source.blocks(n - 5000, None))) == 5000 and not source.truncated


def test_a_wav_of_more_than_two_gigabytes_can_be_truncated(tmp_path):
    path = sparse_wav(tmp_path / "a.wav", 3_500_000_000, 10 * 48000, "PCM_16", 2)
    assert probe(path).frames == 480_000 and not decode_full(path).truncated  # never was there
    path = sparse_wav(tmp_path / "a.wav", 3_500_000_000, 20_000_000, "PCM_16", 2)
    assert (probe(path).frames, probe(path).promised) == (20_000_000, 1_750_000_000)
    with open_audio(path) as source:
        assert source.truncated
    path = sparse_wav(tmp_path / "a.wav", 0x7FFFFFFF, 10 * 48000, "PCM_16", 2)
    assert probe(path).frames == 480_000 and not decode_full(path).truncated
    # a recorder that begins a new file before two gigabytes, and says where it is
    path = sparse_wav(tmp_path / "a.wav", 0x7FFF8000, 0x7FFF8000 // 2, "PCM_16", 2, b"LIST\x04\0\0\0abcd")
    assert probe(path).frames == 0x7FFF8000 // 2


def wav_around(payload: bytes, rate: int = 44100, trailer: bytes = b"") -> bytes:
    fmt = struct.pack("<HHIIHHH", 0x55, 1, rate, 16000, 1, 0, 12) + struct.pack("<HIHHH", 1, 2, 417, 1, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2) + trailer
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_mp3_inside_wav(tmp_path):
    y = sound(2)[:, 0]
    buffer = io.BytesIO()
    soundfile.write(buffer, y, 44100, format="MP3")
    expected = soundfile.read(io.BytesIO(buffer.getvalue()), dtype="float32")[0]
    path = tmp_path / "a.wav"
    # a chunk after the sound must not be taken for sound
    path.write_bytes(wav_around(buffer.getvalue(), trailer=b"LIST" + struct.pack("<I", 4000) + bytes(4000)))
    assert (probe(path).format, probe(path).subtype) == ("WAV", "MPEG_LAYER_III")
    np.testing.assert_array_equal(read(path)[0], expected)
    np.testing.assert_allclose(read(path, start=1.0)[0], expected[44100:], atol=1e-5)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"RIFF", "cannot be decoded"),
        (b"not sound at all" * 100, "is not a sound file"),
        (b"RIFF\xff\xff\xff\x00WAVEfmt \x10\x00\x00\x00", "cannot be decoded"),
        (b"fLaC" + bytes(100), "cannot be decoded"),
        (wav_around(b"\x12" * 500), "cannot be decoded|holds no"),
    ],
)
def test_unreadable_files_say_what_and_what_to_do(tmp_path, monkeypatch, content, problem):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    for call in (probe, read, decode_full):
        with pytest.raises(UnreadableAudioError, match=problem) as caught:
            call(path)
        assert str(path) in str(caught.value) and caught.value.advice


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UnreadableAudioError, match="does not exist"):
        read(tmp_path / "none.wav")
    with pytest.raises(UnreadableAudioError, match="is a folder"):
        read(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode elsewhere")
def test_names_that_are_no_unicode_are_told_of(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    path.write_bytes(b"RIFF")
    with pytest.raises(UnreadableAudioError, match="has a name that is not UTF-8"):
        probe(path)


def test_the_error_crosses_processes(tmp_path):
    error = UnreadableAudioError(tmp_path / "a.wav", "is empty", "Leave it out.")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.advice) == (str(error), error.path, error.advice)


@pytest.mark.parametrize(
    ("start", "end"), [(-1, None), (1, 1), (2, 1), (float("nan"), None), (0, float("nan"))]
)
def test_impossible_spans(tmp_path, start, end):
    path = write(tmp_path / "a.wav", sound()[:, 0])
    with pytest.raises(DataError, match="expected 0 <= start < end"):
        read(path, start=start, end=end)


def test_spans_at_the_end(tmp_path):
    path = write(tmp_path / "a.wav", sound()[:, 0])
    assert len(read(path, start=0.9, end=5)[0]) == 4410
    with pytest.raises(UnreadableAudioError, match=r"lasts 1\.000 s, but the clip starts at 1\.5 s"):
        read(path, 22050, start=1.5, end=2)


def test_a_file_without_samples_decodes_to_none(tmp_path):
    path = write(tmp_path / "a.wav", np.zeros(0, np.float32))
    assert len(read(path, 22050)[0]) == 0 and not decode_full(path).truncated


@settings(max_examples=80, deadline=None)
@given(
    data=st.binary(max_size=300), at=st.integers(0, 400), kind=st.sampled_from(["wav", "flac", "ogg", "mp3"])
)
def test_damage_never_brings_another_error(tmp_path_factory, data, at, kind):
    folder = tmp_path_factory.getbasetemp()
    whole = folder / f"whole.{kind}"
    if not whole.exists():
        write(whole, sound(0.3)[:, 0])
    raw = bytearray(whole.read_bytes())
    raw[at : at + len(data)] = data
    path = folder / f"damaged.{kind}"
    path.write_bytes(raw)
    try:
        decoded = decode_full(path, 22050)
    except DataError:
        return
    assert decoded.samples.dtype == np.float32


FFMPEG = """#!{python}
import struct, sys
import numpy as np
source = sys.argv[sys.argv.index("-i") + 1]
if "broken" in source:
    sys.exit("Invalid data found when processing input")
y = np.load(source.removeprefix("file:"))
sys.stderr.write("  Duration: 00:00:02.00, start: 0\\n Stream #0:0: Audio: aac (LC), 16000 Hz\\n")
if "framecrc" in sys.argv:
    print("#tb 0: 1/16000\\n0, 0, 0, %d, 9, 0x0" % (len(y) - 16000 * float(sys.argv[sys.argv.index("-ss") + 1])))
    sys.exit()
if "-t" not in sys.argv:
    with open(sys.argv[0] + ".begun", "a") as begun:
        begun.write("x")
out = sys.stdout.buffer
n = y.shape[1]
out.write(b"RIFF\\xff\\xff\\xff\\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 3, n, 16000, 64000 * n, 4 * n, 32))
out.write(b"LIST" + struct.pack("<I", 4) + bytes(4) + b"data\\xff\\xff\\xff\\xff")
try:
    out.write(b"" if "-t" in sys.argv else y.astype("<f4").tobytes())
except BrokenPipeError:
    pass
"""


scripted = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """A stand-in that speaks ffmpeg's part: WAV of unknown length in a pipe, its words on stderr."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(FFMPEG.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder / "ffmpeg.begun"


@scripted
def test_other_formats_go_through_ffmpeg(tmp_path, ffmpeg):
    y = sound(2, 16000, 2)
    path = tmp_path / "a.m4a"
    with path.open("wb") as file:
        np.save(file, y)
    info = probe(path)
    assert (info.sample_rate, info.channels, info.frames) == (16000, 2, 32000)
    assert (info.format, info.subtype) == ("FFMPEG", "AAC")
    np.testing.assert_allclose(read(path)[0], y.mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(read(path, channel=1, start=0.25, end=1.5)[0], y[4000:24000, 1])
    assert not decode_full(path).truncated
    with path.open("wb") as file:
        np.save(file, y[:20000])
    assert decode_full(path).truncated


@scripted
def test_what_follows_is_decoded_without_beginning_again(tmp_path, ffmpeg, monkeypatch):
    monkeypatch.setattr(ffmpeg_pipe, "_BLOCK", 1000)
    monkeypatch.setattr(ffmpeg_pipe, "_AGAIN", 0.1)
    y = sound(2, 16000, 2)
    path = tmp_path / "a.m4a"
    with path.open("wb") as file:
        np.save(file, y)

    def decoded_frames(start, end):
        np.testing.assert_array_equal(
            read(path, channel=1, start=start, end=end)[0], y[round(start * 16000) : round(end * 16000), 1]
        )
        return len(ffmpeg.read_text())

    assert [decoded_frames(k / 4, k / 4 + 0.3) for k in range(8)] == [1] * 8
    assert decoded_frames(0.5, 0.9) == 2  # long past
    assert decoded_frames(1.0, 1.1) == 2  # goes on from there
    y = -y
    with path.open("wb") as file:
        np.save(file, y)
    os.utime(path, ns=(1, 1))
    assert decoded_frames(1.2, 1.4) == 3


@scripted
def test_ffmpeg_says_no(tmp_path, ffmpeg):
    path = tmp_path / "broken.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(200))
    with pytest.raises(UnreadableAudioError, match=r"is MP4 or QuickTime, but .*Invalid data found"):
        read(path)


@scripted
@pytest.mark.parametrize(
    "content", [b"\1nothing" * 50, b"fLaC" + bytes(100), b"RIFF\xff\xff\xff\0WAVEfmt \x10\0\0\0", bytes(500)]
)
def test_what_nobody_reads_is_told_in_the_same_words_with_ffmpeg(tmp_path, ffmpeg, monkeypatch, content):
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    messages = []
    for _ in range(2):
        with pytest.raises(UnreadableAudioError) as error:
            read(path)
        messages.append(str(error.value))
        monkeypatch.setenv("PATH", str(tmp_path))
    assert messages[0] == messages[1]


def test_without_ffmpeg_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(200))
    with pytest.raises(UnreadableAudioError, match=r"Install ffmpeg .* or convert"):
        read(path)


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (b"genre,tempo\nrock,120\n" * 20, "the text 'genre,tempo rock,120 ge'"),
        ("\ufeff<!DOCTYPE html>\u00e9".encode() * 9, "the text '"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3" + bytes(99), "the bytes 25 50 44 46 2d 31 2e 37"),
        (bytes(500), "the bytes 00 00"),
        (b"x", "the text 'x'"),
    ],
)
def test_what_is_no_sound_is_called_so(tmp_path, monkeypatch, content, begins):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(UnreadableAudioError) as error:
        read(path)
    assert f"is not a sound file (it begins with {begins}" in str(error.value)
    assert "ffmpeg" not in str(error.value)


@pytest.mark.parametrize(
    ("magic", "name"),
    [
        (b"\0\0\0\x20ftypM4A ", "MP4 or QuickTime"),
        (b"\x1aE\xdf\xa3", "Matroska or WebM"),
        (b"0&\xb2u\x8ef\xcf\x11", "WMA"),
        (b"\xff\xf1\x50\x80", "AAC"),
        (b"RIFF\0\0\0\0AVI ", "AVI video"),
        (b"#!AMR\n", "AMR"),
    ],
)
def test_what_ffmpeg_would_read_is_told_to(tmp_path, monkeypatch, magic, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.wav"  # whatever it is called
    path.write_bytes(magic + bytes(200))
    with pytest.raises(UnreadableAudioError, match=rf"is {name}, .*Install ffmpeg"):
        read(path)


def test_a_damaged_file_needs_no_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC" + bytes(range(200)))
    with pytest.raises(UnreadableAudioError, match="libsndfile") as error:
        read(path)
    assert "damaged" in str(error.value) and "ffmpeg" not in str(error.value)


@scripted
def test_a_text_never_goes_to_ffmpeg(tmp_path, ffmpeg):
    # which follows playlists: #EXTM3U and the addresses of other files
    path = tmp_path / "a.wav"
    path.write_text("#EXTM3U\nhttp://localhost/secret.wav\n")
    with pytest.raises(UnreadableAudioError, match="it begins with the text '#EXTM3U"):
        read(path)


def test_odd_files_of_the_wild(data_dir):
    folder = data_dir / "odd-files" / "audio"
    failed, cut, kinds = [], [], set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            decoded = decode_full(path, 22050)
        except UnreadableAudioError:
            failed.append(path.name)
            continue
        assert len(decoded.samples)
        kinds.add(decoded.info.subtype)
        if decoded.truncated:
            cut.append(path.name)
    assert failed == ["saxophone_Fs3_15_fortissimo_normal.mp3"]
    assert cut == []  # two have no count of their frames, and are whole
    assert {"MPEG_LAYER_III", "ALAW", "PCM_U8", "PCM_16"} <= kinds
