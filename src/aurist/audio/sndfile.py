"""Decode files with libsndfile: wav, flac, ogg, mp3, aiff, au ..."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError
from aurist.audio.layout import Layout, Piece, Pieces
from aurist.audio.silence_stderr import quiet

#: Frames per read; near damage the count is divided by the share, down to the fewest.
_BLOCK, _SHARE, _FEWEST = 1 << 20, 64, 4
#: Frames from damage to the first try behind it, and frames that each damage costs at least.
_LOOK, _LEAST = 4096, 256
_MP3_FRAME = 1152
#: Samples of 16 frames, or of 32 small ones: an MP3 frame takes bytes from fewer frames before it.
_RESERVOIR = 16 * _MP3_FRAME
#: More frames than any recording has: the length is unknown.
_ENDLESS = 1 << 50


class SndfileSource:
    """A file decoded by libsndfile, seekable to the sample."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path, self._layout = path, layout
        file = self._file = _sound_file(path, layout)
        self._at = 0
        self._lossy = "MPEG" in file.subtype
        frames = file.frames if layout.frames is None else min(layout.frames, file.frames)
        frames = frames if frames < _ENDLESS else 0
        promised = round(frames * layout.promise) if layout.truncated else frames
        self.info = AudioInfo(
            file.samplerate,
            frames,
            file.channels,
            layout.format or file.format,
            file.subtype,
            max(frames, promised),
            layout.header_note(frames / file.samplerate),
        )
        self.truncated = layout.truncated
        self.gaps: list[tuple[int, int]] = []

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        position = min(first, self.info.frames)
        stop = self.info.frames if last is None else min(last, self.info.frames)
        step = _BLOCK
        while position < stop:
            count = min(step, stop - position)
            block = self._decode(position, count)
            if block is None and step > _FEWEST:
                # the sound before the damage is good
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
            if len(block) < count:
                break
        if last is None:
            # headers often count an encoder's delay, and the decoder cuts it
            slack = 2 * _MP3_FRAME if self._lossy else 0
            self.truncated = self.truncated or position + slack < self.info.frames

    def _decode(self, position: int, frames: int) -> Samples | None:
        """Decode frames from a position on, fewer at the end of the file; None if some are damaged."""
        # an MP3 frame takes bytes from frames before it, so decoding must start earlier
        before = min(position, _RESERVOIR) if self._lossy else 0
        try:
            with quiet(self._lossy):
                self._seek(position - before)
                block: Samples = self._file.read(before + frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            self._open_again()
            return None
        self._at = position - before + len(block)
        return block[before:]

    def _seek(self, position: int) -> None:
        if position == self._at:
            return
        if self._file.seekable():
            self._file.seek(position)
            return
        # some codings need all samples before, so they are decoded from the beginning
        if position < self._at:
            self._open_again()
        while self._at < position:
            passed = len(self._file.read(min(_BLOCK, position - self._at), dtype="float32", always_2d=True))
            self._at += passed
            if not passed:
                return

    def _open_again(self) -> None:
        """Open the file again, as a FLAC decoder cannot seek after an error."""
        self._file.close()
        try:
            self._file, self._at = _sound_file(self._path, self._layout), 0
        except (soundfile.LibsndfileError, OSError) as error:
            raise UnreadableAudioError(
                self._path, f"cannot be read any more ({error})", "Check the disk."
            ) from error

    def _behind(self, position: int) -> int | None:
        """Find the first position after damage that can be decoded; None if there is none."""
        if self._lossy:
            return None  # MP3 frames have no numbers: the time after a gap is unknown
        last = self.info.frames - _FEWEST
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


def _sound_file(path: Path, layout: Layout) -> soundfile.SoundFile:
    """Open a file with libsndfile."""
    with quiet():
        # libsndfile reads a file named .raw as samples without a header
        if not layout.pieces and path.suffix.lower() != ".raw":
            return soundfile.SoundFile(str(path))
        file = _of_pieces(path, layout.pieces or ((0, path.stat().st_size),))
    if not layout.raw or not soundfile.check_format("RAW", file.subtype):
        return file
    # a size of 32 bits overflows
    with file:
        return soundfile.SoundFile(
            Pieces(path, layout.raw),
            samplerate=file.samplerate,
            channels=file.channels,
            format="RAW",
            subtype=file.subtype,
            endian="LITTLE",
        )


def _of_pieces(path: Path, pieces: tuple[Piece, ...]) -> soundfile.SoundFile:
    file = Pieces(path, pieces)
    try:
        return soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        file.close()
        raise
