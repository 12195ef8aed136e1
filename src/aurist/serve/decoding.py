"""Decode uploads, and compute features of clips, in a process of its own, with limits of time and memory.

Requests and answers are lines of JSON. The server starts it as ``python -m aurist.serve.decoding``; it never decodes
sound of strangers itself.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import sys
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.audio import Source, UnreadableAudioError, forget_headers, open_audio, resample, to_mono
from aurist.audio.info import Samples
from aurist.audio.streaming import finite
from aurist.errors import AuristError, DataError
from aurist.features.summary_config import SummaryConfig
from aurist.recorders import began_at
from aurist.system import limit_memory

#: The largest WAV file, in samples of 4 bytes: its header counts bytes with 32 bits.
_MOST_SAMPLES = (1 << 30) - (1 << 16)
#: The longest clip, in seconds, whose features are computed here: those of hours need more memory.
LONGEST = 300.0


def decode(
    source: Path,
    target: Path,
    seconds: float,
    *,
    whole: bool = False,
    summary: SummaryConfig | None = None,
    keep: bool = True,
) -> dict[str, Any]:
    """Decode a file of any format to one channel of 32-bit floats: to a WAV file, to features, or to both.

    Parameters
    ----------
    source, target
        The files.
    seconds
        Its maximum of seconds.
    whole
        Refuse a file whose end is missing.
    summary
        Compute these features of a clip of at most `LONGEST` seconds.
    keep
        Write the WAV file also if the features are computed.

    Returns
    -------
    dict
        ``sample_rate``, ``frames``, ``channels``, ``format``, a ``note`` for people, when it ``began``, and its
        ``features``, (n_features + 1) floats of 32 bits in base64; None without. ``cpu``: seconds of processor time to
        ``decode`` and for ``features``.

    Raises
    ------
    DataError
        If it cannot be decoded, is too long, or is not whole.
    """
    began = time.process_time()
    with open_audio(source) as opened:
        rate = opened.info.sample_rate
        pieces = _Pieces(source, opened, seconds)
        clip = [] if summary is None else list(pieces.up_to(LONGEST))
        features, taken = None, 0.0
        if summary is not None and pieces.ended:
            pieces.check(whole)
            before = time.process_time()
            features = features_of(np.concatenate(clip), rate, summary)
            taken = time.process_time() - before
        if keep or features is None:
            _write(target, rate, itertools.chain(clip, pieces.up_to(math.inf)))
            pieces.check(whole)
        clock = began_at(source)
        return {
            "sample_rate": rate,
            "frames": pieces.frames,
            "channels": opened.info.channels,
            "format": opened.info.format,
            "note": pieces.note(),
            "began": "" if clock is None else clock.time.isoformat(),
            "features": None if features is None else b64encode(features.tobytes()).decode(),
            "cpu": {"decode": time.process_time() - began - taken, "features": taken},
        }


class _Pieces:
    """The sound of an opened file in one channel, block by block, and what was noticed on the way."""

    def __init__(self, path: Path, opened: Source, seconds: float) -> None:
        self._path, self._opened = path, opened
        self._most = min(seconds * opened.info.sample_rate, _MOST_SAMPLES)
        self._blocks = opened.blocks(0, None)
        self.frames, self._silenced, self.ended = 0, 0, False

    def up_to(self, seconds: float) -> Iterator[Samples]:
        """Yield further blocks, until they are over, or there were more than some seconds."""
        rate = self._opened.info.sample_rate
        for block in self._blocks:
            piece, bad = finite(to_mono(block, None), 0)
            self.frames += len(piece)
            self._silenced += sum(last - first for first, last in bad)
            if self.frames > self._most:
                raise DataError(
                    f"{self._path} lasts over {self._most / rate:g} s, the most that this server takes. Cut it "
                    "into parts, or start the server again: aurist serve --max-seconds, with more."
                )
            yield piece
            if self.frames > seconds * rate:
                return
        self.ended = True

    def check(self, whole: bool) -> None:
        """Refuse a file without sound, and one whose end is missing, when all blocks are taken."""
        if not self.frames:
            raise UnreadableAudioError(self._path, "holds no samples", "Record or fetch it again.")
        if whole and self._opened.truncated:
            raise UnreadableAudioError(self._path, "is cut short: its end is missing", "Send it again.")

    def note(self) -> str:
        """Tell people of damage."""
        notes = [self._opened.info.note] if self._opened.info.note else []
        if self._opened.truncated:
            notes.append("ends before its header says")
        if self._silenced:
            notes.append(f"has {self._silenced:,} samples that are no numbers: silence took their place")
        return "; ".join(notes)


def _write(target: Path, sample_rate: int, pieces: Iterable[Samples]) -> None:
    import soundfile

    with soundfile.SoundFile(target, "w", sample_rate, 1, subtype="FLOAT", format="WAV") as file:
        for piece in pieces:
            file.write(piece)


def features_of(wave: Samples, sample_rate: int, config: SummaryConfig) -> npt.NDArray[np.float32] | None:
    """Compute the features of a decoded clip, (n_features + 1); None if it has none: whoever needs them finds out why.

    Parameters
    ----------
    wave
        (n_samples,): the clip.
    sample_rate
        In Hz.
    config
        The settings.
    """
    from aurist.features.summary import measure_both

    try:
        return measure_both(resample(wave, sample_rate, config.sample_rate), config)
    except DataError:
        return None


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    source, target = Path(request["source"]), Path(request["target"])
    try:
        settings = request["features"]
        summary = None if settings is None else SummaryConfig(**settings)
        return decode(
            source, target, request["seconds"], whole=request["whole"], summary=summary, keep=request["keep"]
        )
    except UnreadableAudioError as error:
        return {"problem": f"{error.problem}. {error.advice}"}
    except AuristError as error:
        return {"problem": str(error).removeprefix(f"{source} ")}
    except (MemoryError, OverflowError):
        return {"problem": "needs too much memory to decode. Convert it to WAV or FLAC of one channel."}
    except Exception as error:  # libraries of codecs raise many kinds
        return {"problem": f"cannot be decoded ({type(error).__name__}). Convert it to WAV or FLAC."}


def main() -> None:
    """Answer the lines of standard input until it ends."""
    limit_memory(int(sys.argv[1]))
    # a codec may print: only answers go to the server
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)
        forget_headers()  # uploads never come again


if __name__ == "__main__":
    main()
