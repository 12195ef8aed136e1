"""Progress that shows itself only where the work takes its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Told what happens, a line at a time.
Say = Callable[[str], None]
#: Work shorter than this, in seconds, shows no bar.
PATIENCE = 2.0
#: Seconds between lines where there is no terminal.
_BETWEEN_LINES = 30.0


class Advance:
    """Called after each piece of work; a context manager, so that the bar is gone at the end.

    Parameters
    ----------
    total
        How many pieces there are.
    wanted
        Whether a bar may be shown at all.
    what
        What the work is, in a word or two.

    Examples
    --------
    >>> with Advance(2, wanted=False, what="clips") as advance:
    ...     for _ in range(2):
    ...         advance()
    """

    def __init__(self, total: int, wanted: bool, what: str) -> None:
        self._total = total
        self._what = what
        self._done = 0
        self._began = time.monotonic()
        self._wanted = wanted
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Advance:
        return self

    def __call__(self) -> None:
        self._done += 1
        if self._bar is None and self._wanted and time.monotonic() - self._began > PATIENCE:
            self._bar = self._shown()
        if self._bar is not None:
            shown, task = self._bar
            shown.update(task, completed=self._done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def _shown(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        shown.start()
        return shown, shown.add_task(self._what, total=self._total)


class Hours:
    """Hours of sound done of all, how fast, and the time left: a bar on a terminal, elsewhere a line now and then.

    Parameters
    ----------
    total, done
        Seconds of sound, and those of them that were done before.
    wanted
        Whether anything may be shown at all.

    Examples
    --------
    >>> with Hours(7200.0, 0.0, wanted=False) as hours:
    ...     hours(3600.0)
    >>> hours.told(10.0)
    '1.0 of 2.0 h, 360 x real time, 0:00:10 left'
    """

    def __init__(self, total: float, done: float, wanted: bool) -> None:
        self._total, self._done, self._before = total, done, done
        self._began = self._told = time.monotonic()
        self._wanted = wanted
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Hours:
        return self

    def __call__(self, seconds: float) -> None:
        self._done += seconds
        now = time.monotonic()
        if not self._wanted or now - self._began < PATIENCE:
            return
        if sys.stderr.isatty():
            self._bar = self._bar or self._shown()
            self._bar[0].update(self._bar[1], completed=self._done, told=self.told(now - self._began))
        elif now - self._told >= _BETWEEN_LINES:
            self._told = now
            print(self.told(now - self._began), file=sys.stderr, flush=True)

    def told(self, taken: float) -> str:
        """Where it is after so many seconds of work."""
        speed = (self._done - self._before) / max(taken, 1e-9)
        left = max(0.0, self._total - self._done) / speed if speed > 0 else float("inf")
        until = f", {timedelta(seconds=round(left))} left" if left < 1e7 else ""
        return f"{self._done / 3600:.1f} of {self._total / 3600:.1f} h, {speed:.0f} x real time{until}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def _shown(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
        shown = Progress(*columns, console=Console(stderr=True), transient=True)
        shown.start()
        return shown, shown.add_task("listening", total=self._total, told="")
