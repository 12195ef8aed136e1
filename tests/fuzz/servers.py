"""What a server keeps: jobs, live sources, decisions on clips, what is learnt; and the database of a study."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from aurist.errors import AuristError

from .harness import Target

_ID = "0123456789abcdef"
_EVENT = {"clock": "x", "start": 0.5, "end": 1.5, "label": "wren", "score": 0.9, "delay": 0.1, "lead": 0.5}


def make_state(folder: Path) -> None:
    """Make the folder of a server."""
    from aurist.files import append_jsonl, write_json
    from aurist.serve.decisions import Decisions
    from aurist.serve.decoders import Sound
    from aurist.serve.job_file import DONE, JOB, Job

    for number, state in enumerate((DONE, "waiting")):
        job = folder / "jobs" / f"{number}{_ID[1:]}"
        sound = Sound("night.wav", job / "sounds" / "0.wav", 8000, 16_000, "", "2026-05-01T04:31:07")
        write_json(job / JOB, Job(job.name, 1.5, 1.0, None, (sound,), "key", state).to_json())
    live = folder / "live" / _ID
    began = datetime(2026, 5, 1, tzinfo=UTC).isoformat()
    record = {
        "source": "mic",
        "began": began,
        "heard": 3.5,
        "state": "running",
        "message": "",
        "sample_rate": 8000,
        "model": "key",
        "window": 1.0,
        "lowest": [0.5],
    }
    write_json(live / "session.json", record)
    for number in (1, 2):
        append_jsonl(live / "events.jsonl", {**_EVENT, "number": number})
    decisions = Decisions(folder)
    decisions.decide("k1", "a.wav", ["labels", "dog", "cat"], ["dog"])
    decisions.decide("k2", "b.wav", ["leave out"])
    write_json(folder / "held_out.json", {"0" * 16: True, "1" * 16: False})
    request = {"run": "run", "before": "run", "seconds": 60.0, "window": 1.0, "started": 1.5}
    lists = {"learn": [], "held_out": [], "labels": {"a.wav": ["dog"]}, "left_out": ["b.wav"]}
    write_json(folder / "improved" / "0001" / "request.json", request | lists)


def read_state(folder: Path) -> object:
    """Read it as a server does that starts, and answers."""
    from aurist.serve.decisions import Decisions
    from aurist.serve.improving import Improving
    from aurist.serve.jobs import Jobs
    from aurist.serve.live_session import logged
    from aurist.serve.live_sessions import LiveSessions
    from aurist.serve.options import ServeOptions
    from aurist.serve.relearning import read_request

    none = cast(Any, None)  # a model is needed to work, and not to read
    decisions = Decisions(folder)
    improving = Improving(none, none, decisions, folder)
    jobs = Jobs(none, folder / "jobs", 20)  # a damaged one is not listed
    live = LiveSessions(none, folder / "live", ServeOptions())
    listed: list[object] = [[job.seconds, job.recordings] for job in jobs.all()]
    listed += [[session.began.isoformat(), session.heard, session.events] for session in live.all()]
    wrong: AuristError | None = None
    for part in (
        decisions.corrections,
        improving._decided,
        lambda: read_request(folder / "improved" / "0001"),
        lambda: logged(folder / "live" / _ID),
    ):
        try:
            listed.append(part())
        except AuristError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return listed


def _study(folder: Path) -> object:
    from aurist.recipes.search import Range
    from aurist.tuning import optuna_adapter
    from aurist.tuning.study import Study

    optuna_adapter._PAUSE = 0.0  # for other machines
    space = {"training.lr": Range(1e-4, 1e-2, log=True)}
    return Study(folder, "tiny", space, {}, storage=None, pruner="none", n_folds=2, seed=0)


def make_study(folder: Path) -> None:
    """Make the database of a study, with a trial."""
    study = _study(folder)
    study.run_trial(lambda attempt: 0.5)


def read_study(folder: Path) -> object:
    """Continue the study, and look at its trials."""
    study = _study(folder)
    study.requeue_interrupted()
    return study.n_begun()


TARGETS = (
    Target("state of a server", make_state, read_state, 1),
    Target("study", make_study, read_study, 0.2, folder=True),
)
