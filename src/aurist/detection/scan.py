"""Hours and days of sound: a run listens to recordings window by window, in memory that does not grow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aurist.audio import AudioInfo, describe_lost_end, format_stretches, probe
from aurist.clips import Clips
from aurist.detection.store import Detections, Recording, ScanProgress
from aurist.detection.window_model import PARTS, WindowModel
from aurist.errors import ConfigError, DataError, about
from aurist.events import Grid
from aurist.features.windows import Block, WindowSettings, read_block
from aurist.folders import claim
from aurist.plan import ENSEMBLE
from aurist.progress import Hours, logger
from aurist.run import RunFolder, RunSpec, read_spec
from aurist.workers import ahead

#: Threads that decode: a few blocks wait in memory, and no more.
_MOST_THREADS = 4


@dataclass(frozen=True)
class WindowOptions:
    """How recordings are listened to.

    Parameters
    ----------
    window
        Seconds of a window; None: as the run was trained, where it was fitted on windows of annotated recordings.
    overlap
        Seconds that it shares with the one before; None: half.
    channel
        Counted from 0; None: the mean of all.
    """

    window: float | None = None
    overlap: float | None = None
    channel: int | None = None

    def grid(self, trained: float | None) -> Grid:
        """The windows, given the seconds of those that the run was fitted on.

        Raises
        ------
        ConfigError
            Where neither knows a window, or there are none such.
        """
        window = trained if self.window is None else self.window
        if window is None:
            raise ConfigError(
                "This run was not fitted on windows of annotated recordings: say with window= how many seconds of a "
                "recording it shall hear at a time."
            )
        return Grid(window, window / 2 if self.overlap is None else self.overlap)


@dataclass(frozen=True)
class ScanResult:
    """What was listened to.

    Parameters
    ----------
    detections
        Where the scores are.
    classes
        Their columns.
    recordings
        Those that were heard to their end.
    seconds
        By recording, its length.
    notes
        By recording, what people should know of it: it is damaged, or ends before its header says.
    failures
        By recording, why it could not be heard.
    """

    detections: Detections
    classes: tuple[str, ...]
    recordings: tuple[Recording, ...]
    seconds: dict[str, float]
    notes: dict[str, str]
    failures: dict[str, str]


def recordings_of(clips: Clips) -> list[Recording]:
    """The recordings that clips are of, each once.

    Raises
    ------
    DataError
        Where they are of none.
    """
    if not clips.has_audio:
        raise DataError(
            "Windows are cut out of recordings, but the table that was given has no column of audio files. Name it "
            "with path=, or leave window= out."
        )
    names = [str(name) for name in dict.fromkeys(clips.table["path"]) if name is not None]
    return [Recording(name, clips.file(name)) for name in names]


def listen(
    run: RunFolder,
    recordings: Sequence[Recording],
    output: Path,
    how: WindowOptions,
    *,
    model: str | None = None,
    jobs: int = 0,
    progress: bool = True,
) -> ScanResult:
    """Score the windows of recordings, or go on where a call that was killed had come to.

    Decoding, features and networks overlap. In memory there are a few blocks of some minutes, however long a recording
    is. A recording that cannot be read is passed over.

    Parameters
    ----------
    run
        A fitted run.
    recordings
        What to listen to.
    output
        Folder for the scores and their journal; see `Detections`.
    how
        The windows and the channel.
    model
        Of the leaderboard; None: the ensemble.
    jobs
        Cores; 0: as the run was fitted with.
    progress
        Show how far it is.

    Raises
    ------
    ConfigError
        Where no window is known, the run has no such model, or the folder holds scores by other settings, or of other
        recordings of the same names.
    """
    spec = read_spec(run)
    cores = jobs or spec.task.jobs
    grid = how.grid(spec.window)
    listener = WindowModel(run, model, cores)
    hearing = WindowSettings(grid, listener.rates, listener.margin, how.channel)
    settings = _settings(run, spec, grid, how, model)
    with claim(output):
        detections = Detections(output, settings)
        return _Listening(detections, listener, hearing, progress, cores).all(recordings)


def run_key(run: RunFolder) -> str:
    """By which scores of a run are known to be its own."""
    known = hashlib.blake2b(digest_size=8)
    for name in ("data.json", "ensemble.json", "predictions.parquet"):
        known.update((run.folder / name).read_bytes())
    return known.hexdigest()


def _settings(
    run: RunFolder, spec: RunSpec, grid: Grid, how: WindowOptions, model: str | None
) -> dict[str, Any]:
    """What scores depend on."""
    return {
        "run": run_key(run),
        "model": model or ENSEMBLE,
        **asdict(grid),
        "channel": "mixed" if how.channel is None else how.channel,
        "parts": PARTS,
        "classes": list(spec.task.classes),
    }


class _Listening:
    """One call's way through the recordings."""

    def __init__(
        self,
        detections: Detections,
        listener: WindowModel,
        hearing: WindowSettings,
        progress: bool,
        threads: int,
    ) -> None:
        self._detections = detections
        self._listener = listener
        self._hearing = hearing
        self._shown = progress
        self._threads = min(_MOST_THREADS, threads)
        self._failures: dict[str, str] = {}
        self._promised: dict[str, float] = {}
        self._infos: dict[str, AudioInfo] = {}
        self._known: dict[str, ScanProgress] = {}

    def all(self, recordings: Sequence[Recording]) -> ScanResult:
        self._detections.clear()
        self._detections.check_names(recordings)
        for one in recordings:
            try:
                info = probe(one.file)
                self._infos[one.name] = info
                self._promised[one.name] = info.duration
                self._known[one.name] = self._detections.progress(one)
            except (DataError, OSError) as error:
                self._fail(one, error)
        there = [one for one in recordings if one.name in self._known]
        left = [one for one in there if self._known[one.name].seconds is None]
        total = sum(self._promised[one.name] for one in there)
        done = total - sum(self._left(one) for one in left)
        with Hours(total, done, self._shown) as self._hours:
            for (one, number), future in ahead(self._calls(left), self._threads):
                self._hear(one, number, future.result)
            for one in left:
                self._hear_the_rest(one)
        return self._heard(there)

    def _left(self, one: Recording) -> float:
        """Seconds that are still to be heard."""
        begin = self._hearing.grid.start(len(self._known[one.name].blocks) * self._hearing.block)
        return max(0.0, self._promised[one.name] - begin)

    def _calls(
        self, left: Sequence[Recording]
    ) -> Iterator[tuple[tuple[Recording, int], Callable[[], Block]]]:
        """What decodes the blocks that are still to be heard, as many as the headers promise."""
        for one in left:
            done = len(self._known[one.name].blocks)
            count = -(-self._hearing.grid.count(self._promised[one.name]) // self._hearing.block)
            for number in range(done, max(done + 1, count)):
                if self._ended(one):
                    break
                yield (one, number), partial(read_block, one.file, number, self._hearing)

    def _hear(self, one: Recording, number: int, decoded: Callable[[], Block]) -> None:
        """Score a block."""
        if self._ended(one):
            return
        try:
            block = decoded()
            said, when = self._listener.score(block)
        except (DataError, OSError) as error:
            self._fail(one, error)
            return
        left = self._left(one)
        silenced = [*self._known[one.name].silenced, *block.silenced]
        note = "" if block.length is None else _note(self._infos[one.name], block.length, silenced)
        self._detections.keep(one, number, block, said, when, note)
        self._hours(left if block.length is not None else left - self._left(one))

    def _ended(self, one: Recording) -> bool:
        """Whether its end, or what is wrong with it, has been met."""
        return self._known[one.name].seconds is not None or one.name in self._failures

    def _hear_the_rest(self, one: Recording) -> None:
        """What is behind the end that the header promised."""
        while not self._ended(one):
            number = len(self._known[one.name].blocks)
            self._hear(one, number, partial(read_block, one.file, number, self._hearing))

    def _fail(self, one: Recording, error: Exception) -> None:
        self._failures[one.name] = str(error) or type(error).__name__
        logger.warning(f"passed over: {about(one.name, self._failures[one.name])}")

    def _heard(self, there: Sequence[Recording]) -> ScanResult:
        whole = tuple(one for one in there if one.name not in self._failures)
        notes = {one.name: note for one in whole if (note := self._known[one.name].note)}
        return ScanResult(
            self._detections,
            self._listener.classes,
            whole,
            {one.name: self._known[one.name].seconds or 0.0 for one in whole},
            notes,
            self._failures,
        )


def _note(info: AudioInfo, length: float, silenced: Sequence[tuple[float, float]]) -> str:
    said = [info.note] if info.note else []
    if silenced:
        said.append(f"is damaged, and silence was heard instead, from {format_stretches(silenced)}")
    if clause := describe_lost_end(length, info.promised_duration):
        said.append(clause)
    return "; ".join(said)
