"""What a server keeps is damaged: it starts, leaves that out or names the file, and keeps all else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurist.errors import RunError
from aurist.serve.decisions import Decisions
from aurist.serve.jobs import Jobs
from aurist.serve.live_session import logged
from aurist.serve.live_sessions import LiveSessions
from aurist.serve.options import ServeOptions
from aurist.serve.relearning import read_request

from ..fuzz.servers import make_state

NONE: Any = None  # a model is needed to work, and not to read


@pytest.fixture
def state(tmp_path: Path) -> Path:
    make_state(tmp_path)
    return tmp_path


def change(path: Path, **values: object) -> None:
    """Change values of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    "values",
    [
        {"sounds": [{"name": "a"}]},
        {"sounds": [{"name": "a", "file": "0.wav", "sample_rate": 0, "frames": 1, "note": ""}]},
        {"state": "x"},
    ],
)
def test_a_damaged_job_is_not_listed(state: Path, values: dict[str, object]) -> None:
    assert len(Jobs(NONE, state / "jobs", 20).all()) == 2
    path = sorted((state / "jobs").glob("*/job.json"))[0]
    change(path, **values)
    (job,) = Jobs(NONE, state / "jobs", 20).all()
    assert job.id != path.parent.name and path.exists()


def test_a_later_version_may_say_more_of_a_job(state: Path) -> None:
    change(sorted((state / "jobs").glob("*/job.json"))[0], news=1)
    assert len(Jobs(NONE, state / "jobs", 20).all()) == 2


def test_a_live_source_with_a_damaged_time_is_not_listed(state: Path) -> None:
    def sources() -> int:
        return len(LiveSessions(NONE, state / "live", ServeOptions()).all())

    assert sources() == 1
    change(next((state / "live").glob("*/session.json")), began="yesterday")
    assert sources() == 0


@pytest.mark.parametrize(
    ("name", "line", "read"),
    [
        ("corrections.jsonl", {"clip_id": "a", "decision": ["keep"]}, lambda s: Decisions(s).corrections()),
        ("corrections.jsonl", {"key": "a", "clip_id": "a", "decision": []}, lambda s: Decisions(s).current()),
        ("live/0123456789abcdef/events.jsonl", {"number": 1}, lambda s: logged(s / "live/0123456789abcdef")),
        ("improved/0001/request.json", {"run": "x"}, lambda s: read_request(s / "improved/0001")),
    ],
)
def test_a_damaged_line_is_named(
    state: Path, name: str, line: dict[str, object], read: Callable[[Path], object]
) -> None:
    read(state)
    (state / name).write_text(json.dumps(line) + "\n")
    with pytest.raises(RunError, match=re.escape(str(state / name))):
        read(state)
