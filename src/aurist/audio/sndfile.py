"""Files that libsndfile decodes: wav, flac, ogg, mp3, aiff, au ..."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError
from aurist.audio.layout import Layout, Piece, Pieces
from aurist.audio.quiet import quiet

#: Frames that are decoded at once; where some of them are damaged, a share of that, down to the fewest.
_BLOCK, _SHARE, _FEWEST = 1 << 20, 64, 4
#: Frames from damage to where the first look behind it is, and that it costs at least, so that there is an end to it.
_LOOK, _LEAST = 4096, 256
_MP3_FRAME = 1152
#: Samples of 16 frames, or of 32 small ones: more than an MP3's frame can take bytes from.
_RESERVOIR = 16 * _MP3_FRAME
#: Frames that no recording has: the length is not known.
_ENDLESS = 1 << 50


class SndfileSource:
    """A file that libsndfile decodes, seekable to the sample."""

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
            layout.told(frames / file.samplerate),
        )
        self.truncated = layout.truncated
        self.gaps: list[tuple[int, int]] = []

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        position = min(first, self.info.frames)
        stop = self.info.frames if last is None else min(last, self.info.frames)
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
        # a frame of an MP3 takes bytes from those before it, and soundfile seeks behind everything that it has read
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
        # codings in which a sample needs all before it are decoded from their beginning
        if position < self._at:
            self._open_again()
        while self._at < position:
            passed = len(self._file.read(min(_BLOCK, position - self._at), dtype="float32", always_2d=True))
            self._at += passed
            if not passed:
                return

    def _open_again(self) -> None:
        """As a FLAC decoder that has met an error never seeks again."""
        self._file.close()
        try:
            self._file, self._at = _sound_file(self._path, self._layout), 0
        except (soundfile.LibsndfileError, OSError) as error:
            raise UnreadableAudioError(
                self._path, f"cannot be read any more ({error})", "Check the disk."
            ) from error

    def _behind(self, position: int) -> int | None:
        """Where a file can be decoded again behind its damage at a position; None where nowhere."""
        if self._lossy:
            return None  # the frames of an MP3 have no numbers: behind a gap nobody knows what time it is
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
    """Open with libsndfile, from the beginning."""
    with quiet():
        # a name in .raw would be taken for samples without a header
        if not layout.pieces and path.suffix.lower() != ".raw":
            return soundfile.SoundFile(str(path))
        file = _of_pieces(path, layout.pieces or ((0, path.stat().st_size),))
    if not layout.raw or not soundfile.check_format("RAW", file.subtype):
        return file
    # 32 bits cannot count what is there
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
