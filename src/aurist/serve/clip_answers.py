"""Sound and pictures of short parts of recordings that lie on this machine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi.responses import Response

from aurist.audio import probe, read
from aurist.serve.sound import Samples, spectrogram


@lru_cache(maxsize=32)
def read_clip(file: Path, start: float, end: float) -> Samples:
    """Decode a part of a recording, in seconds; the last ones are kept."""
    y, rate = read(file, start=start, end=min(end, probe(file).duration))
    return Samples(y, rate)


def picture_response(samples: Samples, start: float, columns: int, rows: int) -> Response:
    """Answer with the spectrogram of a part; headers tell the span in seconds, and the highest frequency in Hz."""
    high = samples.sample_rate / 2
    tile = spectrogram(samples, 0.0, samples.seconds, columns, rows, 0.0, high)
    headers = {
        "X-Start": f"{start:.6f}",
        "X-Seconds": f"{samples.seconds:.6f}",
        "X-High": f"{high:g}",
        "Cache-Control": "private, max-age=86400",
    }
    return Response(tile.tobytes(), media_type="application/octet-stream", headers=headers)
