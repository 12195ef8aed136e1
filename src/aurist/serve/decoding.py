"""Decode uploads, and compute features of clips, in a process of its own, with limits of time and memory.

Requests and answers are lines of JSON. The server starts it as ``python -m aurist.serve.decoding``; it never decodes
sound of strangers itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurist.audio import UnreadableAudioError, forget_headers, open_audio, read, to_mono
from aurist.audio.streaming import finite
from aurist.errors import AuristError, DataError
from aurist.recorders import began_at
from aurist.system import limit_memory

#: The largest WAV file, in samples of 4 bytes: its header counts bytes with 32 bits.
_MOST_SAMPLES = (1 << 30) - (1 << 16)
#: The longest clip, in seconds, whose features are computed here: those of hours need more memory.
LONGEST = 300.0


def decode(source: Path, target: Path, seconds: float, whole: bool) -> dict[str, Any]:
    """Decode a file of any format into a WAV file of one channel of 32-bit floats.

    Parameters
    ----------
    source, target
        The files.
    seconds
        Its maximum of seconds.
    whole
        Refuse a file whose end is missing.

    Returns
    -------
    dict
        ``sample_rate``, ``frames``, ``channels``, ``format``, a ``note`` for people, and when it ``began``.

    Raises
    ------
    DataError
        If it cannot be decoded, is too long, or is not whole.
    """
    import soundfile

    with open_audio(source) as opened:
        info = opened.info
        most = min(seconds * info.sample_rate, _MOST_SAMPLES)
        frames, silenced = 0, 0
        with soundfile.SoundFile(target, "w", info.sample_rate, 1, subtype="FLOAT", format="WAV") as file:
            for block in opened.blocks(0, None):
                piece, bad = finite(to_mono(block, None), 0)
                frames, silenced = frames + len(piece), silenced + sum(last - first for first, last in bad)
                if frames > most:
                    raise DataError(
                        f"{source} lasts over {most / info.sample_rate:g} s, the most that this server takes. Cut it "
                        "into parts, or start the server again: aurist serve --max-seconds, with more."
                    )
                file.write(piece)
        if not frames:
            raise UnreadableAudioError(source, "holds no samples", "Record or fetch it again.")
        if whole and opened.truncated:
            raise UnreadableAudioError(source, "is cut short: its end is missing", "Send it again.")
        began = began_at(source)
        notes = [info.note] if info.note else []
        if opened.truncated:
            notes.append("ends before its header says")
        if silenced:
            notes.append(f"has {silenced:,} samples that are no numbers: silence took their place")
        return {
            "sample_rate": info.sample_rate,
            "frames": frames,
            "channels": info.channels,
            "format": info.format,
            "note": "; ".join(notes),
            "began": "" if began is None else began.time.isoformat(),
        }


def features_of(file: Path, settings: Mapping[str, Any]) -> list[float] | None:
    """Compute the features of a decoded clip, (n_features + 1); None if it has none: whoever needs them finds out why.

    Parameters
    ----------
    file
        The clip.
    settings
        Of `aurist.features.summary.SummaryConfig`.
    """
    from aurist.features.summary import SummaryConfig, measure_both

    config = SummaryConfig(**settings)
    try:
        wave, _ = read(file, config.sample_rate)
        features: list[float] = measure_both(wave, config).tolist()
    except DataError:
        return None
    return features


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    source, target = Path(request["source"]), Path(request["target"])
    try:
        answer = decode(source, target, request["seconds"], request["whole"])
        is_short = answer["frames"] <= LONGEST * answer["sample_rate"]
        settings = request["features"] if is_short else None
        return {**answer, "features": None if settings is None else features_of(target, settings)}
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
