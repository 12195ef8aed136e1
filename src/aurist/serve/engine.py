"""The model of the server: loaded once, and predicting the clips of requests that come at the same time together."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from aurist.audio import forget_headers
from aurist.audio.writing import write_wav
from aurist.clips import Clips, make_clips
from aurist.features.store import cache_size, clear_cache
from aurist.inference.clip_predictions import ClipPredictions
from aurist.inference.features import raw_features, raw_of_vectors
from aurist.inference.predictor import Predictor
from aurist.run import ModelFiles
from aurist.serve.counters import Counters
from aurist.serve.decoders import Needs, Sound
from aurist.serve.refusals import busy

#: The most clips, and seconds of sound, of a batch.
_CLIPS, _SECONDS = 64, 600.0
#: The most seconds that a batch waits for clips that are being decoded, and seconds between two looks.
_PATIENCE, _LOOK = 0.05, 0.002
#: What networks store of clips is emptied at this size, which is looked at after so many batches.
_STORE_BYTES, _STORE_EVERY = 200_000_000, 100


@dataclass(frozen=True)
class _Call:
    sounds: Sequence[Sound]
    future: Future[ClipPredictions]


class Engine:
    """Predicts clips in one thread, in batches of all requests that wait.

    While a batch is predicted, the next one collects: the clips of other requests are decoded, and their features
    computed, in other processes.

    Parameters
    ----------
    files
        Of a run, or of a model folder.
    store
        A folder for what a network stores of clips.
    counters
        Count clips and batches.
    waiting
        The most requests that wait or are computed.
    jobs
        Cores; 0: as many as the run was fitted with.
    coming
        Counts the clips that are being decoded: a batch waits for them, but no longer than the last one took, as a
        clip costs far less in a batch.
    """

    def __init__(
        self,
        files: ModelFiles,
        store: Path,
        counters: Counters,
        *,
        waiting: int = 64,
        jobs: int = 0,
        coming: Callable[[], int] = lambda: 0,
    ) -> None:
        self._store, self._counters, self._jobs = store, counters, jobs
        self.predictor = Predictor(files, jobs=jobs)
        self._most, self._waiting, self._batches = waiting, 0, 0
        self._coming, self._took = coming, 0.0
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of requests that wait or are computed."""
        return self._waiting

    @property
    def needs(self) -> Needs:
        """The needs of the model."""
        predictor = self.predictor
        return Needs(predictor.spec.summary, sound=predictor.needs_sound)

    def load(self) -> None:
        """Predict a second of noise: the first request need not wait, and a model that cannot predict is refused.

        Raises
        ------
        AuristError
            If the model cannot predict recordings.
        """
        self.submit([self.noise(self._store)]).result()

    def use(self, files: ModelFiles) -> None:
        """Predict with another model, which is read before the first request gets it.

        Raises
        ------
        AuristError
            If the model cannot predict recordings.
        """
        predictor = Predictor(files, jobs=self._jobs)
        predictor.predict(make_clips([()], paths=[str(self.noise(self._store).file)]), cache_dir=self._store)
        self.predictor = predictor

    @staticmethod
    def noise(folder: Path) -> Sound:
        """Write a second of noise, to try what is loaded."""
        rate = 16_000
        noise = np.random.default_rng(0).normal(0, 0.1, rate).astype(np.float32)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "noise.wav"
        write_wav(file, noise, rate)
        return Sound("noise", file, rate, rate)

    def submit(self, sounds: Sequence[Sound]) -> Future[ClipPredictions]:
        """Predict the sounds of one request.

        Raises
        ------
        RefusedError
            If too many requests wait.
        """
        with self._lock:
            if self._waiting >= self._most:
                raise busy(f"{self._waiting} requests wait already. Try again later.", 1)
            self._waiting += 1
        call = _Call(sounds, Future())
        call.future.add_done_callback(self._done)
        self._calls.put(call)
        return call.future

    def close(self) -> None:
        """Finish the requests that wait, and stop."""
        self._calls.put(None)
        self._thread.join()

    def _done(self, _: object) -> None:
        with self._lock:
            self._waiting -= 1

    def _work(self) -> None:
        ended = False
        while not ended:
            batch: list[_Call] = []
            size, seconds, until = 0, 0.0, math.inf
            while size < _CLIPS and seconds < _SECONDS:
                try:
                    call = self._next(until) if batch else self._calls.get()
                except queue.Empty:
                    break
                until = min(until, time.monotonic() + min(self._took, _PATIENCE))
                if call is None:
                    ended = True
                    break
                if call.future.set_running_or_notify_cancel():  # the client has not gone
                    batch.append(call)
                    size += len(call.sounds)
                    seconds += sum(sound.seconds for sound in call.sounds)
            if batch:
                began, cpu = time.monotonic(), time.thread_time()
                self._predict(batch)
                self._took = time.monotonic() - began
                self._counters.add("aurist_cpu_seconds_total", time.thread_time() - cpu, part="models")

    def _next(self, until: float) -> _Call | None:
        """Give a further request of a batch, and wait for it while others are decoded; raise `queue.Empty` without."""
        while True:
            try:
                return self._calls.get(block=False)
            except queue.Empty:
                if not self._coming() or time.monotonic() > until:
                    raise
                time.sleep(_LOOK)

    def _predict(self, batch: Sequence[_Call]) -> None:
        sounds = [sound for call in batch for sound in call.sounds]
        try:
            predictions = self._predictions(self.predictor, sounds)
        except BaseException as error:  # the thread must go on, and each request gets the error
            for call in batch:
                call.future.set_exception(error)
            return
        first = 0
        for call in batch:
            call.future.set_result(_rows(predictions, first, first + len(call.sounds)))
            first += len(call.sounds)
        self._counters.add("aurist_batches_total")
        self._counters.add("aurist_clips_total", len(sounds))
        self._batches += 1
        if self._batches % _STORE_EVERY == 0:
            forget_headers()
            if cache_size(self._store) > _STORE_BYTES:
                clear_cache(self._store)

    def _predictions(self, predictor: Predictor, sounds: Sequence[Sound]) -> ClipPredictions:
        """Predict the sounds of a batch; what was computed while they were decoded is not computed again."""
        summary = predictor.spec.summary
        raw = None
        if summary is not None:
            vectors = [
                sound.features.vector
                for sound in sounds
                if sound.features and sound.features.config == summary
            ]
            if len(vectors) == len(sounds):
                raw = raw_of_vectors(np.stack(vectors), summary)
        if raw is not None and not predictor.needs_sound:
            return predictor.predict(_unread_clips(len(sounds)), raw=raw, cache_dir=self._store)
        if not all(sound.file.exists() for sound in sounds):
            # they were decoded for a model that needed less of them
            raise busy("The model was changed while this was decoded. Send it again.", 1)
        clips = make_clips([()] * len(sounds), paths=[str(sound.file) for sound in sounds])
        if raw is None and summary is not None:
            # long ones, those without, and those of the model before: nothing is stored, as they never come again
            jobs = self._jobs or predictor.spec.task.jobs
            raw = raw_features(clips, summary, jobs=jobs, cache_dir=self._store, keep=False, progress=False)
        return predictor.predict(clips, raw=raw, cache_dir=self._store)


@lru_cache(maxsize=_CLIPS)
def _unread_clips(number: int) -> Clips:
    """Make clips whose files nobody opens: to make them again for each batch takes as long as a model."""
    return make_clips([()] * number, paths=["decoded"] * number)


def _rows(predictions: ClipPredictions, first: int, last: int) -> ClipPredictions:
    """Take the predictions of one request out of those of a batch; it knows its clips by itself."""
    rows = slice(first, last)
    return replace(
        predictions,
        clips=_unread_clips(last - first),
        proba=predictions.proba[rows],
        seen=predictions.seen[rows],
        failures={row - first: why for row, why in predictions.failures.items() if first <= row < last},
        likeness=None if predictions.likeness is None else predictions.likeness[rows],
    )
