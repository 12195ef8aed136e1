"""Messages on the hours that are done."""

from __future__ import annotations

import pytest

from aurist import progress
from aurist.progress import Hours


def test_on_a_pipe_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Hours(4 * 3600.0, 3600.0, enabled=True) as hours:
        for seconds, sound in ((1.0, 900.0), (30.0, 1800.0), (5.0, 900.0), (36.0, 3600.0)):
            now[0] += seconds
            hours(sound)
    assert capsys.readouterr().err.splitlines() == [
        # of the three hours that were left, a quarter and then half of one in 31 s
        "1.8 of 4.0 h, 87 x real time, 0:01:33 left",
        "3.0 of 4.0 h, 100 x real time, 0:00:36 left",
    ]


def test_nothing_is_said_of_what_is_soon_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Hours(0.0, 0.0, enabled=True) as hours:
        hours(0.0)
    with Hours(10.0, 0.0, enabled=False) as hours:
        monkeypatch.setattr(progress.time, "monotonic", lambda: 1e9)
        hours(5.0)
    assert capsys.readouterr().err == ""
    assert Hours(10.0, 0.0, enabled=True).text(1.0) == "0.0 of 0.0 h, 0 x real time"
