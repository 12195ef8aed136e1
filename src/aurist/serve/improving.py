"""Learning from verdicts: started, watched and stopped; the new model is used only when somebody asks for it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aurist.errors import AuristError
from aurist.files import read_jsonl, write_json
from aurist.folders import remove_folder
from aurist.progress import logger
from aurist.review.learning import Judged, divide
from aurist.review.orders import random_sample
from aurist.run import RunFolder
from aurist.serve.decisions import Decisions
from aurist.serve.models import IMPROVED, RUN, Models
from aurist.serve.refusals import RefusedError
from aurist.serve.relearning import REQUEST, RESULT, read_request, to_json
from aurist.serve.reviewing import Reviews
from aurist.stored import read_json
from aurist.system import kill_session

IDLE, RUNNING, DONE, FAILED = "idle", "running", "done", "failed"
_HELD_OUT = "held_out.json"
#: A fit takes somewhat longer than its time: it reads data before, and blends and compares afterwards.
_LONGER = 1.3


@dataclass
class Improving:
    """The learning of a server; one at a time.

    Parameters
    ----------
    models
        Of the server.
    reviews
        Where the verdicts are.
    decisions
        On clips of the training data.
    state
        The folder of the server.
    """

    models: Models
    reviews: Reviews
    decisions: Decisions
    state: Path
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judged(self) -> list[Judged]:
        """Collect the verdicts of all reviews, with the sound that they are about."""
        rows: list[Judged] = []
        for review in self.reviews.all():
            try:
                verdicts, candidates = review.journal.current(), review.candidates
                sample = {candidates.keys[row] for row in random_sample(candidates, verdicts).tolist()}
                rows += [
                    Judged(verdict, review.detections[row].recording.file, review.content(row), key in sample)
                    for row, key in enumerate(candidates.keys)
                    if (verdict := verdicts.get(key)) is not None and verdict.decided
                ]
            except (AuristError, OSError) as error:
                logger.warning(f"the verdicts on {review.name} cannot be used: {error}")
        return rows

    def divided(self) -> tuple[list[Judged], list[Judged]]:
        """Divide the verdicts into those to learn from, and those that are never learnt from."""
        judged = self.judged()
        held = divide(judged, self._decided())
        return [one for one in judged if not held[one.content]], [one for one in judged if held[one.content]]

    def start(self, seconds: float) -> None:
        """Begin to learn.

        Raises
        ------
        RefusedError
            If there is no run, nothing to learn from, or somebody learns already.
        """
        with self._lock:
            self.need_run()
            if self._alive():
                raise RefusedError(
                    409, "learning", "The server learns already. Wait for it, or stop it first."
                )
            judged = self.judged()
            held = divide(judged, self._decided())
            learn = [one for one in judged if not held[one.content]]
            corrections = self.decisions.corrections()
            if not learn and not len(corrections):
                raise RefusedError(
                    422,
                    "no_verdicts",
                    "There is nothing to learn from yet. Correct labels of the training data (Data), or judge "
                    "detections of several recordings (Review): a third of those in random order is held out, by "
                    "recording.",
                )
            # before anything is learnt: what is held out stays so
            write_json(self.state / _HELD_OUT, held)
            folder = self._new_folder()
            sample = [one for one in judged if held[one.content]]
            request = {
                "run": str(self.models.original.folder.resolve()),
                "before": str(self.models.current.folder.resolve()),
                "seconds": seconds,
                "window": self._window(),
                "started": time.time(),
                "learn": [to_json(one) for one in learn],
                "held_out": [to_json(one) for one in sample],
                "labels": corrections.labels,
                "left_out": corrections.left_out,
            }
            write_json(folder / REQUEST, request)
            self._launch(folder)

    def need_run(self) -> None:
        """Refuse what an exported model cannot do."""
        if self.models.original.run is None:
            raise RefusedError(
                409,
                "needs_run",
                "This is an exported model, without the data that it was fitted on, so that it cannot learn. Start the "
                "server with the run that it was exported from: aurist serve RUN.",
            )

    def go_on(self) -> None:
        """Continue what an earlier server had begun."""
        folder = self._last()
        if folder is not None and (folder / REQUEST).exists() and not (folder / RESULT).exists():
            self._launch(folder)

    def cancel(self) -> None:
        """Stop learning, and delete what it has made."""
        with self._lock:
            folder = self._last()
            self._kill()
            if folder is not None and not (folder / RESULT).exists():
                remove_folder(folder)

    def use(self, change: Callable[[Path], None]) -> None:
        """Use the model that was learnt last; ``change`` loads it.

        Raises
        ------
        RefusedError
            If there is none.
        """
        folder = self._last()
        if folder is None or self.status()["state"] != DONE:
            raise RefusedError(409, "no_model", "There is no model that learnt from people yet.")
        change(folder / RUN)

    def close(self) -> None:
        """Stop the process; the next server continues."""
        self._kill()

    def status(self) -> dict[str, Any]:
        """Tell the state, the progress, and the result."""
        folder = self._last()
        nothing = {
            "state": IDLE,
            "progress": 0.0,
            "models": [],
            "message": "",
            "result": None,
            "in_use": False,
        }
        if folder is None:
            return nothing
        if (folder / RESULT).exists():
            result = read_json(folder / RESULT, dict, f"Remove {folder}, and learn again.")
            if "error" in result:
                return {**nothing, "state": FAILED, "message": result["error"]}
            in_use = self.models.current.folder.resolve() == (folder / RUN).resolve()
            return {**nothing, "state": DONE, "progress": 1.0, "result": result, "in_use": in_use}
        if not self._alive():
            message = "Learning ended without a result, most likely because memory ran out. Learn again."
            return {**nothing, "state": FAILED, "message": message}
        request = read_request(folder)
        events = read_jsonl(RunFolder(folder / RUN).folder / "journal.jsonl")
        fitted = [event["model"] for event in events if event.get("event") == "fitted"]
        progress = (time.time() - request["started"]) / (_LONGER * request["seconds"])
        return {**nothing, "state": RUNNING, "progress": min(0.97, progress), "models": fitted}

    def _decided(self) -> dict[str, bool]:
        path = self.state / _HELD_OUT
        if not path.exists():
            return {}
        decided: dict[str, bool] = read_json(
            path, {str: bool}, f"Copy {path} from a backup: it may not be lost."
        )
        return decided

    def _window(self) -> float:
        """Give the seconds of a clip: the window of the run, else that of most verdicts; 0 without verdicts."""
        if self.models.original.spec.window is not None:
            return self.models.original.spec.window
        counts: Counter[float] = Counter()
        for review in self.reviews.all():
            counts[review.window] += len(review.journal.current())
        return counts.most_common(1)[0][0] if counts else 0.0

    def _launch(self, folder: Path) -> None:
        with (folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aurist.serve.relearning", str(folder.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _kill(self) -> None:
        if self._process is not None and self._alive():
            kill_session(self._process)  # with its workers
            self._process.wait()

    def _folders(self) -> Sequence[Path]:
        return sorted(path for path in (self.state / IMPROVED).glob("[0-9]*") if path.is_dir())

    def _last(self) -> Path | None:
        folders = self._folders()
        return folders[-1] if folders else None

    def _new_folder(self) -> Path:
        last = self._last()
        folder = self.state / IMPROVED / f"{1 + (0 if last is None else int(last.name)):04d}"
        folder.mkdir(parents=True)
        return folder
