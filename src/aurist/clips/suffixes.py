"""Which files are recordings and which are tables, by their endings (in any case)."""

from __future__ import annotations

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
