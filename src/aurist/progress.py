"""A progress bar that shows itself only where the work takes its time."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Work shorter than this, in seconds, shows no bar.
PATIENCE = 2.0


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
