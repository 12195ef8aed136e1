"""Recognise a file by its first bytes: readable by libsndfile, by ffmpeg, or no sound."""

from __future__ import annotations

import codecs
from pathlib import Path

_HEAD = 64

#: Containers of libsndfile. It may still reject the coding in them.
_OWN = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"dns.", b"caff", b"NIST_1A",
        b"Creative Voice File", b"2BIT", b"SOUND SAMPLE DATA")  # fmt: skip
#: Other containers and bare streams, with their names.
_FOREIGN = {
    b"\x1aE\xdf\xa3": "Matroska or WebM",
    b"0&\xb2u\x8ef\xcf\x11": "WMA",
    b"ADIF": "AAC",
    b"MAC ": "Monkey's Audio",
    b"wvpk": "WavPack",
    b"MPCK": "Musepack",
    b"MP+": "Musepack",
    b"TTA1": "TTA",
    b"#!AMR": "AMR",
    b".RMF": "RealMedia",
    b".ra\xfd": "RealAudio",
    b"FLV\x01": "Flash video",
    b"DSD ": "DSD",
    b"FRM8": "DSD",
    b"\x0bw": "AC-3",
    b"\x7f\xfe\x80\x01": "DTS",
    b"\x00\x00\x01\xba": "MPEG video",
}
_QUICKTIME = (b"ftyp", b"moov", b"mdat", b"wide")


def head_of(path: Path) -> bytes:
    """Read the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(_HEAD)


def is_own(head: bytes) -> bool:
    """Tell whether libsndfile should read a file that begins with these bytes.

    Examples
    --------
    >>> is_own(b"RIFF....WAVE"), is_own(b"RIFF....AVI "), is_own(bytes([0xFF, 0xFB, 0x90])), is_own(b"a,b")
    (True, False, True, False)
    """
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return False
    return is_frame(head) or head.startswith(_OWN)


def is_frame(head: bytes) -> bool:
    """Tell whether an MP3 frame may begin with these bytes: 11 bits set, and a layer (AAC has none)."""
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0


def foreign(head: bytes) -> str | None:
    """Return the name of a sound format that libsndfile does not read, or None.

    Examples
    --------
    >>> foreign(bytes(4) + b"ftypM4A "), foreign(bytes([0xFF, 0xF1])), foreign(b"RIFF....WAVE")
    ('MP4 or QuickTime', 'AAC', None)
    """
    if head[4:8] in _QUICKTIME:
        return "MP4 or QuickTime"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI video"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC"
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)


def as_text(head: bytes) -> str | None:
    """Return the first bytes as one line of text, or None if they are no text."""
    try:
        # the last letter may be cut: incremental decoding ignores its first bytes
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    if not text or any(not (letter.isprintable() or letter in "\t\r\n\ufeff") for letter in text):
        return None
    return " ".join(text.split())


def beginning(head: bytes) -> str:
    """Describe the beginning of a file, for messages.

    Examples
    --------
    >>> beginning(b"<!DOCTYPE html><html lang='en'>"), beginning(bytes(64)), beginning(bytes([137, 80, 78, 71]))
    ("the text '<!DOCTYPE html><html la'", 'the bytes 00 00 00 00 00 00 00 00', 'the bytes 89 50 4e 47')
    """
    text = as_text(head)
    return f"the bytes {head[:8].hex(' ')}" if text is None else f"the text {text[:23]!r}"
