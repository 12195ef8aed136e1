"""Show the progress of a network's training, which runs in a separate process."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aurist.progress import logger

#: Seconds between two checks, and between two lines if the output is not a terminal.
_LOOK_EVERY, _LINE_EVERY = 1.0, 30.0


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Show the progress of the folds of ``models/<name>``: a changing line on a terminal, else a line at intervals."""
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(folder, done), daemon=True, name="watch")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(folder: Path, done: threading.Event) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    status = console.status("") if sys.stderr.isatty() else None
    last_line, began = time.monotonic(), time.time()
    try:
        while not done.wait(_LOOK_EVERY):
            line = progress_line(folder, began)
            if line is None:
                continue
            if status is not None:
                status.start()
                status.update(Text(line))
            elif time.monotonic() - last_line > _LINE_EVERY:
                last_line = time.monotonic()
                logger.info(line)
    finally:
        if status is not None:
            status.stop()


def progress_line(folder: Path, since: float) -> str | None:
    """Format the latest progress of a training; None if none was written since then."""
    try:
        files = [(path.stat().st_mtime, path) for path in folder.glob(".fold*/net*/progress.json")]
        recent = [(at, path) for at, path in files if at >= since]
        if not recent:
            return None
        path = max(recent)[1]
        now: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # a file is being replaced, or the folder of a fold that is finished renamed
    fold = int(path.parent.parent.name.removeprefix(".fold")) + 1
    best = "" if now["score"] is None or now["score"] != now["score"] else f", best {now['score']:.3f}"
    minutes, seconds = divmod(int(now["left"]), 60)
    return (
        f"{folder.name}: fold {fold}, epoch {now['epoch'] + 1} of {now['epochs']}, loss {now['loss']:.3f}{best}, "
        f"{now['clips_per_second']:.0f} clips/s, {minutes}:{seconds:02d} left"
    )
