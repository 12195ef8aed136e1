"""Files that libsndfile decodes: wav, flac, ogg, mp3, aiff, au ..."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import soundfile

from aurist.audio.headers import MPEG_LAYER_3, WavHeader, aiff_frames, ogg_unfinished
from aurist.audio.info import AudioInfo, Samples

_BLOCK = 1 << 20
_SMALL_BLOCK = 4096
_MP3_FRAME = 1152


class SndfileSource:
    """A file that libsndfile decodes, seekable to the sample."""

    def __init__(self, path: Path, wav: WavHeader | None) -> None:
        payload = _payload(path, wav) if wav and wav.format_tag == MPEG_LAYER_3 else None
        wrapped = payload is not None
        file = soundfile.SoundFile(str(path)) if payload is None else payload
        self._file = file
        self._lossy = "MPEG" in file.subtype
        promised = file.frames
        if wav is not None and wav.truncated and not wrapped and wav.block_align:
            promised = max(promised, wav.data_size // wav.block_align)
        elif file.format == "AIFF":
            promised = max(promised, aiff_frames(path))
        kind = "WAV" if wrapped else file.format
        self.info = AudioInfo(file.samplerate, promised, file.channels, kind, file.subtype)
        self.truncated = (wav is not None and wav.truncated) or (
            file.format == "OGG" and ogg_unfinished(path)
        )

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        position = min(first, self._file.frames)
        stop = self._file.frames if last is None else min(last, self._file.frames)
        step, fresh = _BLOCK, position == 0
        while position < stop:
            wanted = min(step, stop - position)
            try:
                if not fresh:
                    self._file.seek(position)
                    fresh = True
                block = self._file.read(wanted, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                # a stream that breaks off within a block: what comes before the break is good
                self.truncated = True
                if step == _SMALL_BLOCK:
                    return
                step, fresh = _SMALL_BLOCK, False
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

    def close(self) -> None:
        self._file.close()


def _payload(path: Path, wav: WavHeader) -> soundfile.SoundFile | None:
    """The MP3 stream inside a WAV file, alone: libsndfile takes the chunks after it for sound, and pads."""
    with path.open("rb") as file:
        file.seek(wav.data_offset)
        stream = io.BytesIO(file.read(wav.data_size))
    try:
        return soundfile.SoundFile(stream)
    except soundfile.LibsndfileError:
        return None
