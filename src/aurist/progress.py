"""Show progress, only if the work takes some time."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Progress messages, one line at a time: the command line shows them, a notebook may.
logger = logging.getLogger("aurist")
#: Shorter work, in seconds, shows no bar.
PATIENCE = 2.0
#: Seconds between lines if there is no terminal.
_BETWEEN_LINES = 30.0


class Advance:
    """Counts pieces of work: call it after each piece. As a context manager it removes the bar at the end.

    Parameters
    ----------
    total
        Number of pieces.
    enabled
        True if a bar may be shown.
    title
        Name of the work, in a word or two.

    Examples
    --------
    >>> with Advance(2, enabled=False, title="clips") as advance:
    ...     for _ in range(2):
    ...         advance()
    """

    def __init__(self, total: int, enabled: bool, title: str) -> None:
        self._total = total
        self._title = title
        self._done = 0
        self._began = time.monotonic()
        self._enabled = enabled
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Advance:
        return self

    def __call__(self) -> None:
        self._done += 1
        if self._bar is None and self._enabled and time.monotonic() - self._began > PATIENCE:
            self._bar = self._start_bar()
        if self._bar is not None:
            bar, task = self._bar
            bar.update(task, completed=self._done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def _start_bar(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.start()
        return bar, bar.add_task(self._title, total=self._total)


def progress_of(progress: bool | Advance, total: int, title: str) -> AbstractContextManager[Advance]:
    """Return the bar of a job: that of the job it is a part of, or its own, shown if ``progress`` is True."""
    return nullcontext(progress) if isinstance(progress, Advance) else Advance(total, progress, title)


class Hours:
    """Shows hours of sound done, speed, and time left: a bar on a terminal, else a line from time to time.

    Parameters
    ----------
    total, done
        Seconds of sound in all, and seconds that were done before.
    enabled
        True if progress may be shown.

    Examples
    --------
    >>> with Hours(7200.0, 0.0, enabled=False) as hours:
    ...     hours(3600.0)
    >>> hours.text(10.0)
    '1.0 of 2.0 h, 360 x real time, 0:00:10 left'
    """

    def __init__(self, total: float, done: float, enabled: bool) -> None:
        self._total, self._done, self._before = total, done, done
        self._began = self._last_line = time.monotonic()
        self._enabled = enabled
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Hours:
        return self

    def __call__(self, seconds: float) -> None:
        self._done += seconds
        now = time.monotonic()
        if not self._enabled or now - self._began < PATIENCE:
            return
        if sys.stderr.isatty():
            self._bar = self._bar or self._start_bar()
            self._bar[0].update(self._bar[1], completed=self._done, text=self.text(now - self._began))
        elif now - self._last_line >= _BETWEEN_LINES:
            self._last_line = now
            print(self.text(now - self._began), file=sys.stderr, flush=True)

    def text(self, taken: float) -> str:
        """Describe the progress after ``taken`` seconds of work."""
        speed = (self._done - self._before) / max(taken, 1e-9)
        left = max(0.0, self._total - self._done) / speed if speed > 0 else float("inf")
        until = f", {timedelta(seconds=round(left))} left" if left < 1e7 else ""
        return f"{self._done / 3600:.1f} of {self._total / 3600:.1f} h, {speed:.0f} x real time{until}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def _start_bar(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.start()
        return bar, bar.add_task("listening", total=self._total, text="")
