"""Report events of a stream: to a log that is rotated, to a command, and to an address."""

from __future__ import annotations

import csv
import io
import json
import queue
import shlex
import subprocess
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aurist.errors import ConfigError
from aurist.files import append_jsonl, append_line
from aurist.formulas import safe_cell
from aurist.progress import logger

COLUMNS = ("clock", "start", "end", "label", "score", "delay", "file")
#: Seconds that a command or an address has for one event, and the most events that wait for them.
_PATIENCE, _MOST = 30.0, 1000

Event = Mapping[str, Any]


class EventLog:
    """A file of events, CSV or JSON lines by its ending. A full one is renamed by its time, and a new one begun.

    Parameters
    ----------
    path
        Ends in .csv or .jsonl.
    megabytes
        The size of a full one.

    Raises
    ------
    ConfigError
        If it has another ending.
    """

    def __init__(self, path: Path, megabytes: float = 10.0) -> None:
        if path.suffix not in (".csv", ".jsonl"):
            raise ConfigError(f"The log is {path}, but must end in .csv or .jsonl.")
        self.path, self._most = path, megabytes * 1_000_000
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, event: Event) -> None:
        """Add an event; when this returns, it is on the disk."""
        if self.path.exists() and self.path.stat().st_size >= self._most:
            self._rotate()
        if self.path.suffix == ".jsonl":
            append_jsonl(self.path, dict(event))
            return
        append_line(
            self.path, _csv_line([safe_cell(event.get(name, "")) for name in COLUMNS]), _csv_line(COLUMNS)
        )

    def _rotate(self) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        target = self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}")
        number = 1
        while target.exists():
            number += 1
            target = self.path.with_name(f"{self.path.stem}-{stamp}-{number}{self.path.suffix}")
        self.path.rename(target)


def _csv_line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


class Hooks:
    """Runs a command, and posts to an address, for each event, in a thread: the stream does not wait for them.

    Parameters
    ----------
    command
        Gets the event as a line of JSON on its standard input. It is started without a shell.
    url
        Gets the event as JSON by POST.

    Raises
    ------
    ConfigError
        If the address is none of HTTP.
    """

    def __init__(self, command: str | None = None, url: str | None = None) -> None:
        self._command = shlex.split(command) if command else None
        if url is not None and not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is no address. Give one that begins with http:// or https://.")
        self._url = url
        self._events: queue.Queue[Event | None] = queue.Queue(_MOST)
        self._thread = threading.Thread(target=self._work, name="hooks", daemon=True)
        self._thread.start()

    def report(self, event: Event) -> None:
        """Queue an event; if too many wait, it is dropped with a warning."""
        if self._command is None and self._url is None:
            return
        try:
            self._events.put_nowait(event)
        except queue.Full:
            logger.warning("an event was not reported: the command or the address is too slow")

    def close(self) -> None:
        """Report what waits, and end."""
        self._events.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            line = json.dumps(dict(event), ensure_ascii=False).encode() + b"\n"
            if self._command is not None:
                try:
                    done = subprocess.run(self._command, input=line, timeout=_PATIENCE, check=False)
                    if done.returncode:
                        logger.warning(f"{self._command[0]} ended with {done.returncode}")
                except (OSError, subprocess.TimeoutExpired) as error:
                    logger.warning(f"{self._command[0]} could not be run: {error}")
            if self._url is not None:
                request = urllib.request.Request(self._url, line, {"Content-Type": "application/json"})
                try:
                    with urllib.request.urlopen(request, timeout=_PATIENCE):
                        pass
                except (OSError, ValueError) as error:
                    with suppress(AttributeError):
                        error.close()  # type: ignore[union-attr]
                    logger.warning(f"{self._url} was not reached: {error}")
