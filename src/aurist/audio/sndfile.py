"""Files that libsndfile decodes: wav, flac, ogg, mp3, aiff, au ..."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from aurist.audio.headers import MPEG_LAYER_3, WavHeader, aiff_frames, ogg_unfinished
from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Frames that are decoded at once; where some of them are damaged, a share of that, down to the fewest.
_BLOCK, _SHARE, _FEWEST = 1 << 20, 64, 4
#: Frames from damage to where the first look behind it is, and that it costs at least, so that there is an end to it.
_LOOK, _LEAST = 4096, 256
_MP3_FRAME = 1152


class SndfileSource:
    """A file that libsndfile decodes, seekable to the sample."""

    def __init__(self, path: Path, wav: WavHeader | None) -> None:
        self._path, self._wav = path, wav
        file = self._file = _sound_file(path, wav)
        self._at = 0
        wrapped = wav is not None and file.format == "MP3"
        self._lossy = "MPEG" in file.subtype
        promised = file.frames
        if wav is not None and wav.truncated and not wrapped and wav.block_align:
            promised = max(promised, wav.data_size // wav.block_align)
        elif file.format == "AIFF":
            promised = max(promised, aiff_frames(path))
        kind = "WAV" if wav is not None and file.format in ("MP3", "RAW") else file.format
        self.info = AudioInfo(file.samplerate, promised, file.channels, kind, file.subtype)
        self.truncated = (wav is not None and wav.truncated) or (
            file.format == "OGG" and ogg_unfinished(path)
        )
        self.gaps: list[tuple[int, int]] = []

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        position = min(first, self._file.frames)
        stop = self._file.frames if last is None else min(last, self._file.frames)
        step = _BLOCK
        while position < stop:
            wanted = min(step, stop - position)
            block = self._decode(position, wanted)
            if block is None and step > _FEWEST:
                # what comes before the damage is good
                step //= _SHARE
                continue
            if block is None:
                behind = self._behind(position)
                if behind is None:
                    self.truncated = True
                    return
                self.gaps.append((position, behind))
                yield from self._silence(position, min(behind, stop))
                position, step = behind, _BLOCK
                continue
            position += len(block)
            if len(block):
                yield block
            if len(block) < wanted:
                break
        if last is None:
            # an encoder's delay is often counted in the header and cut by the decoder
            slack = 2 * _MP3_FRAME if self._lossy else 0
            self.truncated = self.truncated or position + slack < self.info.frames

    def _decode(self, position: int, frames: int) -> Samples | None:
        """Frames from a position on, fewer at the end of the file; None where some of them are damaged."""
        try:
            if position != self._at:
                self._file.seek(position)
            block: Samples = self._file.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            self._open_again()
            return None
        self._at = position + len(block)
        return block

    def _open_again(self) -> None:
        """As a FLAC decoder that has met an error never seeks again."""
        self._file.close()
        try:
            self._file, self._at = _sound_file(self._path, self._wav), 0
        except (soundfile.LibsndfileError, OSError) as error:
            raise UnreadableAudioError(
                self._path, f"cannot be read any more ({error})", "Check the disk."
            ) from error

    def _behind(self, position: int) -> int | None:
        """Where a file can be decoded again behind its damage at a position; None where nowhere."""
        if self._lossy:
            return None  # the frames of an MP3 have no numbers: behind a gap nobody knows what time it is
        last = int(self._file.frames) - _FEWEST
        bad, good = position, min(position + _LOOK, last)
        while good > bad and not self._decodes(good):
            bad, good = good, min(2 * good - position, last)
        if good <= bad:
            return None
        while good - bad > 1:
            middle = (bad + good) // 2
            bad, good = (bad, middle) if self._decodes(middle) else (middle, good)
        return max(good, min(position + _LEAST, last))

    def _decodes(self, position: int) -> bool:
        block = self._decode(position, _FEWEST)
        return block is not None and len(block) > 0

    def _silence(self, first: int, last: int) -> Iterator[Samples]:
        for begin in range(first, last, _BLOCK):
            yield np.zeros((min(_BLOCK, last - begin), self.info.channels), dtype=np.float32)

    def close(self) -> None:
        self._file.close()


def _sound_file(path: Path, wav: WavHeader | None) -> soundfile.SoundFile:
    """Open with libsndfile, from the beginning."""
    payload = _payload(path, wav) if wav and wav.format_tag == MPEG_LAYER_3 else None
    if payload is not None:
        return payload
    file = soundfile.SoundFile(str(path))
    if wav is None or not 0 < wav.data_size < wav.sound_size:
        return file
    if not soundfile.check_format("RAW", file.subtype):
        return file
    # libsndfile takes the size in the header for true, but 32 bits cannot count what is there
    with file:
        return soundfile.SoundFile(
            _Part(path, wav.data_offset, wav.sound_size),
            samplerate=file.samplerate,
            channels=file.channels,
            format="RAW",
            subtype=file.subtype,
            endian="LITTLE",
        )


class _Part(io.RawIOBase):
    """Some bytes of a file as a file of their own."""

    def __init__(self, path: Path, begin: int, size: int) -> None:
        self._file, self._begin, self._size = path.open("rb"), begin, size
        self.seek(0)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        return self._file.seek(self._begin + start + offset) - self._begin

    def tell(self) -> int:
        return self._file.tell() - self._begin

    def readinto(self, into: WriteableBuffer) -> int:
        return self._file.readinto(into)

    def close(self) -> None:
        self._file.close()
        super().close()


def _payload(path: Path, wav: WavHeader) -> soundfile.SoundFile | None:
    """The MP3 stream inside a WAV file, alone: libsndfile takes the chunks after it for sound, and pads."""
    with path.open("rb") as file:
        file.seek(wav.data_offset)
        stream = io.BytesIO(file.read(wav.data_size))
    try:
        return soundfile.SoundFile(stream)
    except soundfile.LibsndfileError:
        return None
