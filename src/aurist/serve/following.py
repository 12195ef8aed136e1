"""Follow a source of sound: its events as records, with the time of the clock and the delay of each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aurist.audio.info import Samples
from aurist.serve.live import LiveEvent, LiveEvents
from aurist.serve.stream import Gap


class Report(NamedTuple):
    """An event, and its row of the log.

    ``record`` has ``clock`` (ISO 8601), ``start`` and ``end`` in seconds of the stream, ``label``, ``score``, and
    ``delay``: seconds from the end of the event to its report, with the time to compute.
    """

    record: dict[str, Any]
    event: LiveEvent


def follow(pieces: Iterable[Samples | Gap], events: LiveEvents, began: datetime) -> Iterator[Report]:
    """Yield the events of a source as they are complete.

    Parameters
    ----------
    pieces
        Its sound, with gaps where it had broken off.
    events
        Finds events.
    began
        The clock at its begin.
    """
    arrived = math.inf  # the time of this process at which the stream began, by its least late piece
    for piece in pieces:
        seconds = piece.seconds if isinstance(piece, Gap) else len(piece) / events.sample_rate
        arrived = min(arrived, time.monotonic() - events.seconds - seconds)
        complete = events.gap(piece.seconds) if isinstance(piece, Gap) else events.push(piece)
        for event in complete:
            yield _report(event, began, time.monotonic() - arrived)
    for event in events.finish():
        yield _report(event, began, events.seconds if math.isinf(arrived) else time.monotonic() - arrived)


def _report(event: LiveEvent, began: datetime, now: float) -> Report:
    """Describe an event, at a second of the stream's time."""
    clock = began + timedelta(seconds=event.start)
    record = {
        "clock": clock.isoformat(timespec="milliseconds"),
        "start": round(event.start, 3),
        "end": round(event.end, 3),
        "label": event.label,
        "score": round(event.score, 6),
        "delay": round(now - event.end, 3),
    }
    return Report(record, event)
