"""The sources that a server follows live, and those that it has followed."""

from __future__ import annotations

import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from aurist.detection.scan import WindowOptions
from aurist.detection.window_model import WindowModel
from aurist.errors import ConfigError, RunError
from aurist.folders import remove_folder
from aurist.inference.thresholds import thresholds_of
from aurist.serve.job_file import ID
from aurist.serve.live import LiveEvents
from aurist.serve.live_session import BROWSER, RUNNING, SESSION, STOPPED, LiveSession, logged
from aurist.serve.models import Models
from aurist.serve.options import ServeOptions, is_local
from aurist.serve.refusals import RefusedError, busy
from aurist.serve.stream import MICROPHONE, Source
from aurist.stored import read_json, stored

#: The most sources that are followed at the same time.
_MOST = 4
#: Windows of sound before an event that are kept with it: those that nobody judged are background to learn from.
_LEAD = 2
#: Streams that a page may name; a file of the server is none of them.
_SCHEMES = ("rtsp", "rtsps", "http", "https")
_SHAPE = {
    "source": str,
    "began": str,
    "heard": (float, int),
    "state": str,
    "message": str,
    "sample_rate": int,
    "model?": str,
    "window?": float,
    "lowest?": [float],
}


@dataclass
class LiveSessions:
    """The live sources of a server.

    Parameters
    ----------
    models
        Of the server.
    folder
        Holds a folder for each session.
    options
        Of the server.
    """

    models: Models
    folder: Path
    options: ServeOptions
    _sessions: dict[str, LiveSession] = field(default_factory=dict)
    _turns: threading.Lock = field(default_factory=threading.Lock)
    _model: tuple[str, WindowModel] | None = None

    def __post_init__(self) -> None:
        for path in sorted(self.folder.glob(f"*/{SESSION}")):
            if ID.fullmatch(path.parent.name):
                with suppress(RunError):  # damaged: it stays on the disk, and is not listed
                    session = self._read(path.parent)
                    self._sessions[session.id] = session

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of this machine that the server was started with."""
        return self.options.sources

    @property
    def any_stream(self) -> bool:
        """True if a page may name any stream: nobody else reaches the server."""
        return is_local(self.options.host) and shutil.which("ffmpeg") is not None

    def all(self) -> list[LiveSession]:
        """List the sessions, the newest first."""
        return sorted(self._sessions.values(), key=lambda session: session.began, reverse=True)

    def has(self, session_id: str) -> bool:
        """Tell whether there is such a session."""
        return session_id in self._sessions

    def get(self, session_id: str) -> LiveSession:
        """Give a session.

        Raises
        ------
        RefusedError
            If there is none.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise RefusedError(404, "no_session", "There is no such session. It may have been deleted.")
        return session

    def start(self, source: str, window: float | None, min_score: float | None) -> LiveSession:
        """Follow a source.

        Raises
        ------
        RefusedError
            If it may not be followed from a page, or too many are followed.
        ConfigError
            If it cannot be opened, or a window must be given.
        """
        self._check_source(source)
        grid = WindowOptions(window).grid(self.models.current.spec.window)
        if sum(session.state == RUNNING for session in self.all()) >= _MOST:
            raise busy(f"{_MOST} sources are followed already. Stop one of them.", 30)
        files, key = self.models.current, self.models.key
        classes = files.spec.task.classes
        thresholds = thresholds_of(files)
        lowest = np.full(len(classes), 0.5) if thresholds is None else thresholds
        if min_score is not None:
            lowest = np.full(len(classes), min_score)

        def make_events() -> LiveEvents:
            with self._turns:
                if self._model is None or self._model[0] != key:
                    cores = self.options.jobs or files.spec.task.jobs
                    self._model = key, WindowModel(files, None, cores)
                events = LiveEvents(self._model[1], grid, lowest, lead=_LEAD * grid.window)
                events.warm_up()
                return events

        session_id = secrets.token_hex(8)
        session = LiveSession(
            session_id,
            source,
            self.folder / session_id,
            make_events,
            self._turns,
            key,
            grid.window,
            tuple(lowest.tolist()),
        )
        session.start()
        self._sessions[session_id] = session
        return session

    def delete(self, session_id: str) -> None:
        """Stop a session, and delete its log and its sound."""
        session = self.get(session_id)
        session.stop()
        del self._sessions[session_id]
        remove_folder(session.folder)

    def close(self) -> None:
        """Stop all."""
        for session in self.all():
            session.stop(0)
        for session in self.all():
            session.stop()

    def _check_source(self, source: str) -> None:
        """Let a page name its own microphone, what the server was started with, and streams if it is alone."""
        if source == BROWSER or source in self.sources:
            return
        kind = source.partition(":")[0]
        if not (kind == MICROPHONE or (kind in _SCHEMES and "://" in source)):
            raise ConfigError(
                f"{source[:200]!r} is no source. Give mic, mic:NAME of a device, or a URL that begins with "
                f"{', '.join(scheme + '://' for scheme in _SCHEMES)}."
            )
        if not self.any_stream:
            raise RefusedError(
                403,
                "wrong_source",
                "Other machines reach this server, so that it opens only the sources that it was started with: aurist "
                "serve --source URL.",
            )
        Source(source)

    def _read(self, folder: Path) -> LiveSession:
        record = read_json(folder / SESSION, _SHAPE, f"Remove {folder}.")
        session = LiveSession(folder.name, record["source"], folder, _no_events, self._turns)
        with stored(folder / SESSION, f"Remove {folder}."):
            session.began = datetime.fromisoformat(record["began"]).astimezone()
        session.state = STOPPED if record["state"] == RUNNING else record["state"]
        session.model, session.window = record.get("model", ""), record.get("window", 0.0)
        session.lowest = tuple(record.get("lowest", ()))
        session.message, session.heard = record["message"], float(record["heard"])
        session.sample_rate, session.events = record["sample_rate"], logged(folder)
        if session.state != record["state"]:
            session.message = "The server was stopped."
        return session


def _no_events() -> LiveEvents:
    raise RuntimeError("a session of an earlier server is not started again")
