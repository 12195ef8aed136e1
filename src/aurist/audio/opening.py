"""Open a sound file with libsndfile, else with ffmpeg, or explain why it cannot be opened."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import soundfile

from aurist.archives import read_member
from aurist.audio import ffmpeg
from aurist.audio.chain import ChainSource
from aurist.audio.find_layout import forget_layouts, layout_of
from aurist.audio.info import Source, UnreadableAudioError
from aurist.audio.member import MemberSource
from aurist.audio.sndfile import SndfileSource
from aurist.audio.sniff import as_text, beginning, foreign, head_of, is_own
from aurist.files import is_file

#: The range of sample rates in Hz, from arrays of infrasound to the acoustic emission of materials.
_LOWEST, _HIGHEST = 20, 10_000_000
_CONVERT = "Install ffmpeg and put it on the PATH, or convert the file to WAV, FLAC, OGG or MP3."


def forget_headers() -> None:
    """Forget the headers of the files that were opened.

    They are kept as a recording of many clips is opened many times; a server would keep those of files that are gone.
    """
    forget_layouts()
    ffmpeg.forget_files()


def open_source(path: Path) -> Source:
    """Open with libsndfile, else with ffmpeg; a file inside an archive is unpacked alone while it is open."""
    member = read_member(path)
    return _open_file(path) if member is None else _open_member(path, member)


def _open_member(path: Path, member: bytes) -> Source:
    folder = tempfile.TemporaryDirectory(prefix="aurist-member-")
    try:
        file = Path(folder.name) / f"sound{path.suffix}"
        file.write_bytes(member)
        return MemberSource(_open_file(file), folder)
    except UnreadableAudioError as error:
        folder.cleanup()
        raise UnreadableAudioError(path, error.problem, error.advice) from None
    except BaseException:
        folder.cleanup()
        raise


def _open_file(path: Path) -> Source:
    if not is_file(path):
        problem = "is a folder, not a sound file" if os.path.isdir(path) else "does not exist"  # noqa: PTH112
        raise UnreadableAudioError(
            path, problem, "Check the path in the table and the folder that it starts from."
        )
    try:
        str(path).encode()
    except UnicodeEncodeError:
        advice = "Rename it: neither libsndfile nor a table can hold that name."
        raise UnreadableAudioError(path, "has a name that is not UTF-8", advice) from None
    try:
        if path.stat().st_size == 0:
            raise UnreadableAudioError(path, "is empty (0 bytes)", "Fetch it again, or leave it out.")
        layout = layout_of(path)
    except OSError as error:
        advice = "Check its permissions and the disk."
        raise UnreadableAudioError(path, f"cannot be opened ({error.strerror})", advice) from error
    try:
        source: Source = ChainSource(path, layout) if layout.links else SndfileSource(path, layout)
    except soundfile.LibsndfileError as error:
        source = _open_with_ffmpeg(path, str(error).rpartition(": ")[2].rstrip(". "))
    if not _LOWEST <= source.info.sample_rate <= _HIGHEST:
        source.close()
        raise wrong_rate(
            path,
            source.info.sample_rate,
            f", and recordings have {_LOWEST} Hz to {_HIGHEST // 1_000_000} MHz",
        )
    return source


def wrong_rate(
    path: Path, rate: int, clause: str, cause: str = "The header is likely damaged"
) -> UnreadableAudioError:
    return UnreadableAudioError(
        path,
        f"has a sample rate of {rate} Hz in its header{clause}",
        f"{cause}: correct the rate, or leave the file out.",
    )


def _open_with_ffmpeg(path: Path, reason: str) -> Source:
    """Open with ffmpeg a file that libsndfile cannot read; text is refused, as ffmpeg may read it as a list of files.

    The messages are the same with and without ffmpeg.
    """
    head = head_of(path)
    other_format, text = foreign(head), as_text(head) is not None
    if ffmpeg.available() and (other_format is not None or not text):
        try:
            return ffmpeg.FfmpegSource(path)
        except UnreadableAudioError as error:
            if other_format is not None:
                raise UnreadableAudioError(
                    path, f"is {other_format}, but {error.problem}", error.advice
                ) from None
    if other_format is not None:
        problem, advice = f"is {other_format}, which libsndfile does not read", _CONVERT
    elif is_own(head):
        problem = f"cannot be decoded (libsndfile: {reason})"
        advice = "It is damaged, or in an unknown coding: fetch it again, convert it, or leave it out."
    else:
        problem = f"is not a sound file (it begins with {beginning(head)})"
        advice = "Fetch it again, or leave it out."
    raise UnreadableAudioError(path, problem, advice)
