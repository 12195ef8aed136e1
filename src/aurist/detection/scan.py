"""Score long recordings window by window, in memory that does not grow with their length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aurist.audio import AudioInfo, describe_lost_end, format_stretches, probe
from aurist.clips import Clips
from aurist.clips.suffixes import with_bytes_shown
from aurist.detection.event_times import check_times
from aurist.detection.progress import ScanProgress
from aurist.detection.result import ScanResult
from aurist.detection.settings import scan_settings
from aurist.detection.store import Detections, Recording
from aurist.detection.window_model import WindowModel
from aurist.errors import ConfigError, DataError, about
from aurist.events import Grid
from aurist.features.windows import Block, WindowSettings, read_block
from aurist.folders import claim
from aurist.progress import Hours, logger
from aurist.run import ModelFiles
from aurist.workers import ahead

#: Most threads that decode: only a few blocks wait in memory.
_MOST_THREADS = 4


@dataclass(frozen=True)
class WindowOptions:
    """The windows and the channel to score.

    Parameters
    ----------
    window
        Seconds of a window; None: the window of the run, if it was fitted on windows of annotated recordings.
    overlap
        Seconds that a window shares with the one before; None: half a window.
    channel
        Counted from 0; None: the mean of all.
    times
        What tells when an event is: "windows", "frames" of networks, the "sound" of the class, to which events of
        windows are trimmed, or "auto": frames or sound if they are shown, out of fold, to time events better.
    """

    window: float | None = None
    overlap: float | None = None
    channel: int | None = None
    times: str = "auto"

    def __post_init__(self) -> None:
        check_times(self.times)

    def grid(self, trained: float | None) -> Grid:
        """Lay out the windows; ``trained`` is the window of the run in seconds.

        Raises
        ------
        ConfigError
            If no window is given and the run has none, or the settings make no sense.
        """
        window = trained if self.window is None else self.window
        if window is None:
            raise ConfigError(
                "This run was not fitted on windows of annotated recordings: give the length of a window in "
                "seconds with window=."
            )
        return Grid(window, window / 2 if self.overlap is None else self.overlap)


def recordings_of(clips: Clips) -> list[Recording]:
    """Give the recordings of clips, each once.

    Raises
    ------
    DataError
        If the clips have no recordings.
    """
    if not clips.has_audio:
        raise DataError(
            "Windows are cut out of recordings, but the table that was given has no column of audio files. Name it "
            "with path=, or leave window= out."
        )
    names = [str(name) for name in dict.fromkeys(clips.table["path"]) if name is not None]
    return [Recording(name, clips.file(name)) for name in names]


def listen(
    files: ModelFiles,
    recordings: Sequence[Recording],
    output: Path,
    options: WindowOptions,
    *,
    model: str | None = None,
    unknown: float | None = None,
    jobs: int = 0,
    progress: bool = True,
    report: Callable[[float, float], None] | None = None,
    window_model: WindowModel | None = None,
) -> ScanResult:
    """Score the windows of recordings; continue a call that was killed.

    Decoding, features and networks overlap. Only a few blocks of some minutes are in memory, however long
    a recording is. A recording that cannot be read is passed over.

    Parameters
    ----------
    files
        Of a fitted run, or of a model folder.
    recordings
        The recordings to score.
    output
        Folder for the scores and their journal; see `Detections`.
    options
        The windows and the channel.
    model
        A row of the leaderboard; None: the ensemble.
    unknown
        The likeness up to which windows will be taken for unknown: see `ExportOptions`. It is only checked.
    jobs
        Cores; 0: as the run was fitted with.
    progress
        Show a progress bar.
    report
        Called after each block with the seconds of sound that are scored, and that there are; it may raise to stop.
    window_model
        The model, if it is loaded already; it must be of the same row.

    Raises
    ------
    ConfigError
        If there is no window, the run has no such model, or the folder holds scores with other settings, or of other
        recordings of the same names.
    """
    spec = files.spec
    cores = jobs or spec.task.jobs
    grid = options.grid(spec.window)
    window_model = window_model or WindowModel(files, model, cores, unknown, times=options.times)
    windows = WindowSettings(grid, window_model.rates, window_model.margin, options.channel)
    settings = scan_settings(
        files, model, grid, options.channel, windows.block, window_model.parts, sound=window_model.trims
    )
    with claim(output):
        detections = Detections(output, settings)
        return _Scan(detections, window_model, windows, progress, cores, report).all(recordings)


class _Scan:
    """One scan of several recordings."""

    def __init__(
        self,
        detections: Detections,
        window_model: WindowModel,
        windows: WindowSettings,
        progress: bool,
        threads: int,
        report: Callable[[float, float], None] | None = None,
    ) -> None:
        self._detections = detections
        self._model = window_model
        self._windows = windows
        self._shown = progress
        self._threads = min(_MOST_THREADS, threads)
        self._report = report
        self._failures: dict[str, str] = {}
        self._durations: dict[str, float] = {}
        self._infos: dict[str, AudioInfo] = {}
        self._progress: dict[str, ScanProgress] = {}

    def all(self, recordings: Sequence[Recording]) -> ScanResult:
        self._detections.clear()
        self._detections.check_names(recordings)
        for recording in recordings:
            try:
                info = probe(recording.file)
                self._infos[recording.name] = info
                self._durations[recording.name] = info.duration
                self._progress[recording.name] = self._detections.progress(recording)
            except (DataError, OSError) as error:
                self._fail(recording, error)
        readable = [recording for recording in recordings if recording.name in self._progress]
        unfinished = [recording for recording in readable if self._progress[recording.name].seconds is None]
        total = sum(self._durations[recording.name] for recording in readable)
        done = total - sum(self._left(recording) for recording in unfinished)
        self._total, self._done = total, done
        self._model.expect(
            round(sum(self._left(recording) for recording in unfinished) / self._windows.grid.hop)
        )
        with Hours(total, done, self._shown) as self._hours:
            for (recording, number), future in ahead(self._calls(unfinished), self._threads):
                self._score(recording, number, future.result)
            for recording in unfinished:
                self._score_the_rest(recording)
        return self._result(readable)

    def _left(self, recording: Recording) -> float:
        """Give the seconds that are not scored yet."""
        begin = self._windows.grid.start(len(self._progress[recording.name].blocks) * self._windows.block)
        return max(0.0, self._durations[recording.name] - begin)

    def _calls(
        self, unfinished: Sequence[Recording]
    ) -> Iterator[tuple[tuple[Recording, int], Callable[[], Block]]]:
        """Yield calls that decode the missing blocks, as many as the headers promise."""
        for recording in unfinished:
            done = len(self._progress[recording.name].blocks)
            count = -(-self._windows.grid.count(self._durations[recording.name]) // self._windows.block)
            for number in range(done, max(done + 1, count)):
                if self._ended(recording):
                    break
                yield (recording, number), partial(read_block, recording.file, number, self._windows)

    def _score(self, recording: Recording, number: int, decoded: Callable[[], Block]) -> None:
        """Score a block."""
        if self._ended(recording):
            return
        try:
            block = decoded()
            scores = self._model.score(block)
        except (DataError, OSError) as error:
            self._fail(recording, error)
            return
        remaining = self._left(recording)
        silenced = [*self._progress[recording.name].silenced, *block.silenced]
        note = "" if block.length is None else _note(self._infos[recording.name], block.length, silenced)
        self._detections.keep(recording, number, block, *scores[:2], note, *scores[2:])
        seconds = remaining if block.length is not None else remaining - self._left(recording)
        self._hours(seconds)
        self._done += seconds
        if self._report is not None:
            self._report(self._done, self._total)

    def _ended(self, recording: Recording) -> bool:
        """Tell if a recording is scored to its end, or failed."""
        return self._progress[recording.name].seconds is not None or recording.name in self._failures

    def _score_the_rest(self, recording: Recording) -> None:
        """Score the blocks after the end that the header promised."""
        while not self._ended(recording):
            number = len(self._progress[recording.name].blocks)
            self._score(recording, number, partial(read_block, recording.file, number, self._windows))

    def _fail(self, recording: Recording, error: Exception) -> None:
        self._failures[recording.name] = str(error) or type(error).__name__
        self._detections.fail(recording, self._failures[recording.name])
        message = about(recording.name, self._failures[recording.name])
        # a log may hold no name that is not UTF-8
        logger.warning(f"passed over: {with_bytes_shown(message)}")

    def _result(self, readable: Sequence[Recording]) -> ScanResult:
        complete = tuple(recording for recording in readable if recording.name not in self._failures)
        notes = {
            recording.name: note for recording in complete if (note := self._progress[recording.name].note)
        }
        return ScanResult(
            self._detections,
            self._model.classes,
            complete,
            {recording.name: self._progress[recording.name].seconds or 0.0 for recording in complete},
            notes,
            self._failures,
        )


def _note(info: AudioInfo, length: float, silenced: Sequence[tuple[float, float]]) -> str:
    notes = [info.note] if info.note else []
    if silenced:
        notes.append(f"is damaged, and was replaced by silence, from {format_stretches(silenced)}")
    if clause := describe_lost_end(length, info.promised_duration):
        notes.append(clause)
    return "; ".join(notes)
