"""Which files are recordings and which are tables, by their endings (in any case)."""

from __future__ import annotations

import unicodedata

#: What libsndfile reads, and what ffmpeg does where it is there.
AUDIO_SUFFIXES = frozenset((
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf",
    ".w64", ".rf64",
    ".m4a", ".mp4", ".aac", ".wma", ".webm", ".mka", ".amr", ".ac3", ".ape", ".wv", ".tta",
))  # fmt: skip

TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".parquet", ".arff"))


def is_audio(name: str) -> bool:
    """Whether a file's name ends as those of recordings do.

    Examples
    --------
    >>> is_audio("a/b.WAV"), is_audio("labels.csv"), is_audio(".wav")
    (True, False, False)
    """
    stem, dot, suffix = name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    return bool(stem) and dot + suffix.lower() in AUDIO_SUFFIXES


def in_utf8(name: str) -> bool:
    r"""Whether a file's name is text: the bytes of others neither libsndfile nor a table can hold.

    Examples
    --------
    >>> in_utf8("café.wav"), in_utf8("caf\udce9.wav")
    (True, False)
    """
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def with_bytes_shown(name: str) -> str:
    r"""A name with its bytes that are no text spelt out.

    Examples
    --------
    >>> print(with_bytes_shown("caf\udce9.wav"))
    caf\xe9.wav
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def name_key(text: str) -> str:
    """In one case and one form of accents, for Macs have their own; blanks alike, for tables have no tabs in a cell.

    Examples
    --------
    >>> name_key("Me\u0301sange.WAV") == name_key("m\u00e9sange.wav")
    True
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
