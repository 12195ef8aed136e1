"""One source that is followed live: its thread, its latest events, and its files."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aurist.audio.info import Samples
from aurist.audio.writing import write_wav
from aurist.errors import AuristError
from aurist.files import read_jsonl, write_json
from aurist.progress import logger
from aurist.review.journal import VerdictJournal, key_of
from aurist.serve.following import follow
from aurist.serve.live import LiveEvents
from aurist.serve.refusals import RefusedError
from aurist.serve.reporting import EventLog
from aurist.serve.stream import Gap, Source, sound_of
from aurist.stored import check_shape, stored

#: The microphone of a visitor, whose browser sends the sound.
BROWSER = "browser"
RUNNING, STOPPED, FAILED = "running", "stopped", "failed"
SESSION, LOG, CLIPS = "session.json", "events.jsonl", "clips"
#: A line of the log.
_EVENT = {
    "number": int,
    "clock": str,
    "start": float,
    "end": float,
    "label": str,
    "score": float,
    "delay": float,
    "file?": str,
    "lead?": float,
}
#: The most events that a client gets at a time; the sound of so many latest ones is kept, and of as many at random.
MOST_EVENTS = 300
#: Seconds without sound after which a browser has gone, and the most pieces of it that wait.
_GONE, _MOST_WAITING = 20.0, 200
#: Seconds of sound of the picture of now.
_NOW = 12.0


@dataclass
class LiveSession:
    """A source that is followed.

    Parameters
    ----------
    id
        16 hexadecimal digits.
    source
        As of `aurist listen`, or "browser".
    folder
        Holds its log and the sound of the latest events.
    make_events
        Makes what finds events; it may take a while, as it loads the model.
    turns
        Held while windows are scored, as several sessions share a model.
    model, window, lowest
        The key of the model, seconds of a window, and the lowest score of each class; "" in those of older versions,
        whose events cannot be judged.
    """

    id: str
    source: str
    folder: Path
    make_events: Callable[[], LiveEvents]
    turns: threading.Lock
    model: str = ""
    window: float = 0.0
    lowest: tuple[float, ...] = ()
    began: datetime = field(default_factory=lambda: datetime.now().astimezone())
    state: str = RUNNING
    message: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    heard: float = 0.0
    sample_rate: int = 0
    now: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    _stopped: threading.Event = field(default_factory=threading.Event)
    _pieces: queue.Queue[tuple[Samples, int]] = field(default_factory=lambda: queue.Queue(_MOST_WAITING))

    def start(self) -> None:
        """Begin to follow the source."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write()
        self._thread = threading.Thread(target=self._work, name=f"live {self.id}", daemon=True)
        self._thread.start()

    def stop(self, wait: float = 5.0) -> None:
        """Stop to follow it; events that are open are reported."""
        self._stopped.set()
        if hasattr(self, "_thread"):
            self._thread.join(wait)

    def take(self, sound: Samples, sample_rate: int) -> None:
        """Take sound of a browser.

        Raises
        ------
        RefusedError
            If the session has ended, or is of another source, or the sound comes faster than it can be heard.
        """
        if self.state != RUNNING or self.source != BROWSER:
            raise RefusedError(409, "not_live", "This does not listen to a browser any more. Start again.")
        try:
            self._pieces.put_nowait((sound, sample_rate))
        except queue.Full:
            raise RefusedError(429, "behind", "The server cannot keep up with the sound.", 2) from None

    def _work(self) -> None:
        try:
            events = self.make_events()
            self.sample_rate = events.sample_rate
            log = EventLog(self.folder / LOG)
            for record, event in follow(self._sound(events.sample_rate), events, self.began):
                number = len(self.events) + 1
                name = f"{datetime.fromisoformat(record['clock']):%Y%m%d-%H%M%S}-{number}.wav"
                record |= {"number": number, "file": name, "lead": round(event.lead, 6)}
                write_wav(self.clip(record), event.sound, events.sample_rate)
                log.write(record)
                self.events.append(record)
                self._drop_clips()
            self.state = STOPPED
        except (AuristError, OSError, MemoryError) as error:
            self.state, self.message = FAILED, str(error) or type(error).__name__
        except Exception as error:  # the person must see that it ended
            logger.exception("this is a bug: a live source failed")
            self.state, self.message = (
                FAILED,
                f"This is a bug of the server ({type(error).__name__}: {error}).",
            )
        try:
            self._write()
        except (AuristError, OSError) as error:  # a full disk: the next server calls it stopped
            logger.error(str(error))

    def _sound(self, sample_rate: int) -> Iterator[Samples | Gap]:
        pieces = (
            self._from_browser(sample_rate) if self.source == BROWSER else self._from_machine(sample_rate)
        )
        for piece in pieces:
            if isinstance(piece, Gap):
                self.heard += piece.seconds
            else:
                self.heard += len(piece) / sample_rate
                self.now = np.concatenate([self.now, piece])[-round(_NOW * sample_rate) :]
            with self.turns:  # while the consumer scores it
                yield piece

    def _from_machine(self, sample_rate: int) -> Iterator[Samples | Gap]:
        for piece in sound_of(Source(self.source), sample_rate, self._stopped):
            yield piece
            if self._stopped.is_set():
                return

    def _from_browser(self, sample_rate: int) -> Iterator[Samples]:
        """Give the sound that a browser sends, at the rate of the model."""
        import soxr

        stream: soxr.ResampleStream | None = None
        given, last = 0, time.monotonic()
        while not self._stopped.is_set():
            try:
                piece, rate = self._pieces.get(timeout=0.2)
            except queue.Empty:
                if time.monotonic() - last > _GONE:
                    self.message = f"No sound came for {_GONE:g} s: the page was closed."
                    return
                continue
            last = time.monotonic()
            if stream is None or rate != given:
                stream, given = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32"), rate
            yield np.asarray(stream.resample_chunk(piece), dtype=np.float32)

    def clip(self, record: Mapping[str, Any]) -> Path:
        """Give the file with the sound of an event."""
        return self.folder / CLIPS / clip_name(record)

    @cached_property
    def journal(self) -> VerdictJournal:
        """The verdicts on its events."""
        return VerdictJournal(self.folder)

    def _drop_clips(self) -> None:
        """Keep the sound of the latest events, of a random sample of all, and of those with a verdict."""
        if len(self.events) <= MOST_EVENTS:
            return
        judged = self.journal.current()
        sample = heapq.nsmallest(MOST_EVENTS, self.events, key=key_of_event)
        kept = {self.clip(record) for record in (*self.events[-MOST_EVENTS:], *sample)}
        kept |= {self.clip(record) for record in self.events if key_of_event(record) in judged}
        for path in (self.folder / CLIPS).iterdir():
            if path not in kept:
                path.unlink(missing_ok=True)

    def _write(self) -> None:
        record = {
            "source": self.source,
            "began": self.began.isoformat(),
            "heard": self.heard,
            "state": self.state,
            "message": self.message,
            "sample_rate": self.sample_rate,
            "model": self.model,
            "window": self.window,
            "lowest": list(self.lowest),
        }
        write_json(self.folder / SESSION, record)


def key_of_event(record: Mapping[str, Any]) -> str:
    """Name an event as a detection in its own clip; the names are hashes, so that the smallest are a random sample."""
    start, end = span_in_clip(record)
    return key_of(clip_name(record), start, end, record["label"])


def clip_name(record: Mapping[str, Any]) -> str:
    """Name the file with the sound of an event, as its record does since clips are judged."""
    return Path(record.get("file", f"{record['number']}.wav")).name


def span_in_clip(record: Mapping[str, Any]) -> tuple[float, float]:
    """Give the start and the end of an event in seconds of its clip."""
    lead = record.get("lead", 0.0)
    return lead, lead + record["end"] - record["start"]


def logged(folder: Path) -> list[dict[str, Any]]:
    """Read all events of a session, also those of logs that are full.

    Raises
    ------
    RunError
        If a line has another form.
    """
    records = []
    for part in (*sorted(folder.glob("events-*.jsonl")), folder / LOG):
        for record in read_jsonl(part):
            with stored(part, f"Take the damaged line out of {part}."):
                check_shape(record, _EVENT)
            records.append(record)
    return records
