"""Decide what tells when an event is: overlapping windows, the frames of networks, or the sound of the class."""

from __future__ import annotations

from aurist.errors import ConfigError, check_one_of
from aurist.events import Grid
from aurist.inference.frames import PARTS, members_with_frames
from aurist.run import ModelFiles
from aurist.run.events_file import EventScores, TimesOf, better_times, read_events

TIMES = ("auto", "windows", "frames", "sound")


def check_times(times: str) -> None:
    """Check a value of ``times``.

    Raises
    ------
    ConfigError
        If there is no such value.
    """
    check_one_of("times", times, TIMES)


def times_of(files: ModelFiles, row: str, times: str) -> TimesOf:
    """Tell what the times of the events of a row of the leaderboard are made of.

    With "auto" these are the frames of its networks, or the sound of the class, if they are shown, out of fold, to time
    events better than windows do. The sound was tried with the events of the ensemble.

    Raises
    ------
    ConfigError
        If there is no such row, or frames or sound are asked for and there are none.
    """
    files.ensemble.check_row(row)
    if times == "frames" and not members_with_frames(files, row):
        raise ConfigError(
            f"{row} has no network that scores frames. Leave times= out, or fit one: recipes=['mel-sed']."
        )
    if times == "sound" and files.call_spectra() is None:
        raise ConfigError(
            f"{files.folder} has not learnt in which bands its classes call: that needs annotated times, and a fit by "
            "this version. Leave times= out, or fit again."
        )
    for given in ("windows", "frames", "sound"):
        if times == given:
            return given
    scores = read_events(files.folder, files.remedy)
    if scores is None:
        return "windows"
    return better_times(scores.frames.get(row), scores.sound if files.call_spectra() is not None else None)


def times_note(files: ModelFiles, row: str, times: str, grid: Grid) -> str:
    """Write a sentence on how times of events are made, and how fine they are."""
    made_of = times_of(files, row, times)
    scores = read_events(files.folder, files.remedy)
    figures = "" if scores is None else _figures(scores, row)
    members = members_with_frames(files, row)
    if made_of == "frames":
        return (
            f"event times: by frames of {', '.join(members)}, in steps of {grid.window / PARTS:.2g} s{figures}; "
            'times="windows" changes this'
        )
    by_windows = f"by windows of {grid.window:g} s, one every {grid.hop:g} s"
    if made_of == "sound":
        return (
            f"event times: {by_windows}, trimmed to the sound of the class in steps of {grid.window / PARTS:.2g} s"
            f'{figures}; times="windows" changes this'
        )
    names = ([f"frames of {', '.join(members)}"] if members else []) + (
        ["the sound of the class"] if scores is not None and scores.sound is not None else []
    )
    reason = ""
    if names:
        is_better = scores is not None and better_times(scores.frames.get(row), scores.sound) != "windows"
        plural = len(names) > 1 or bool(members)
        verdict = (
            f"{'are' if plural else 'is'} not asked for"
            if is_better
            else f"{'are' if plural else 'is'} not shown to time events better"
        )
        reason = f"; {' and '.join(names)} {verdict}{figures}"
    return f"event times: {by_windows}, in steps of {grid.hop:g} s{reason}"


def _figures(scores: EventScores, row: str) -> str:
    """State the F1 of events out of fold, by all that was tried."""
    frames, sound = scores.frames.get(row), scores.sound
    tried = ([f"{frames.frames:.2f} by frames"] if frames else []) + (
        [f"{sound.sound:.2f} by the sound"] if sound else []
    )
    windows = frames.windows if frames else sound.windows if sound else 0.0
    return f" (F1 of events out of fold: {', '.join(tried)}, {windows:.2f} by windows)" if tried else ""
