"""Decide what tells when an event is: overlapping windows, or the frames of networks."""

from __future__ import annotations

from aurist.errors import ConfigError, check_one_of
from aurist.events import Grid
from aurist.inference.frames import PARTS, members_with_frames
from aurist.run import ModelFiles
from aurist.run.events_file import read_events

TIMES = ("auto", "windows", "frames")


def check_times(times: str) -> None:
    """Check a value of ``times``.

    Raises
    ------
    ConfigError
        If there is no such value.
    """
    check_one_of("times", times, TIMES)


def uses_frames(files: ModelFiles, row: str, times: str) -> bool:
    """Tell if frames cut the events of a row of the leaderboard.

    With "auto" they do if they are shown, out of fold, to time events better than windows do.

    Raises
    ------
    ConfigError
        If there is no such row, or frames are asked for and it has none.
    """
    files.ensemble.check_row(row)
    members = members_with_frames(files, row)
    if times == "frames" and not members:
        raise ConfigError(
            f"{row} has no network that scores frames. Leave times= out, or fit one: recipes=['mel-sed']."
        )
    if times != "auto" or not members:
        return times == "frames"
    scores = read_events(files.folder, files.remedy)
    return scores is not None and row in scores.frames and scores.frames[row].are_better


def times_note(files: ModelFiles, row: str, times: str, grid: Grid) -> str:
    """Write a sentence on how times of events are made, and how fine they are."""
    frames = uses_frames(files, row, times)
    members = members_with_frames(files, row)
    scores = read_events(files.folder, files.remedy)
    shown = None if scores is None else scores.frames.get(row)
    figures = (
        ""
        if shown is None
        else f" (F1 of events out of fold: {shown.frames:.2f} by frames, {shown.windows:.2f} by windows)"
    )
    if frames:
        return (
            f"event times: by frames of {', '.join(members)}, in steps of {grid.window / PARTS:.2g} s{figures}; "
            "times=windows changes this"
        )
    reason = ""
    if members:
        verdict = (
            "are not shown to time events better"
            if shown is None or not shown.are_better
            else "are not asked for"
        )
        reason = f"; frames of {', '.join(members)} {verdict}{figures}"
    return f"event times: by windows of {grid.window:g} s, one every {grid.hop:g} s, in steps of {grid.hop:g} s{reason}"
