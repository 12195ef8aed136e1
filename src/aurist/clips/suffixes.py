"""Recognise recordings and tables by the endings of their names, in any case."""

from __future__ import annotations

import unicodedata

#: Formats that libsndfile reads, and that ffmpeg reads if it is installed.
AUDIO_SUFFIXES = frozenset((
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf",
    ".w64", ".rf64",
    ".m4a", ".mp4", ".aac", ".wma", ".webm", ".mka", ".amr", ".ac3", ".ape", ".wv", ".tta",
))  # fmt: skip

TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".parquet", ".arff"))


def is_audio(name: str) -> bool:
    """Tell whether a file's name ends like a recording's.

    Examples
    --------
    >>> is_audio("a/b.WAV"), is_audio("labels.csv"), is_audio(".wav")
    (True, False, False)
    """
    stem, dot, suffix = name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    return bool(stem) and dot + suffix.lower() in AUDIO_SUFFIXES


def in_utf8(name: str) -> bool:
    r"""Tell whether a file's name is UTF-8. Neither libsndfile nor a table can hold other names.

    Examples
    --------
    >>> in_utf8("café.wav"), in_utf8("caf\udce9.wav")
    (True, False)
    """
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def with_bytes_shown(name: str) -> str:
    r"""Spell out the bytes of a name that are no UTF-8.

    Examples
    --------
    >>> print(with_bytes_shown("caf\udce9.wav"))
    caf\xe9.wav
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def name_key(text: str) -> str:
    """Return a key to compare names: one case, one form of accents (Macs have their own), single blanks.

    Examples
    --------
    >>> name_key("Me\u0301sange.WAV") == name_key("m\u00e9sange.wav")
    True
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
