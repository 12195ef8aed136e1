"""Processes that decode uploads and compute features: one that crashes, or takes too long, harms no other request."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.features.summary_config import SummaryConfig
from aurist.serve.counters import Counters
from aurist.serve.options import Limits
from aurist.serve.refusals import RefusedError, busy


@dataclass(frozen=True)
class Measured:
    """The features of a clip, (n_features + 1,), as of `aurist.features.summary.measure_both` with these settings."""

    config: SummaryConfig
    vector: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Needs:
    """The needs of a model: features with these settings, None without, and its sound."""

    summary: SummaryConfig | None
    sound: bool


@dataclass(frozen=True)
class Sound:
    """A decoded upload: its name as the client gave it, and the WAV file that the server wrote.

    Parameters
    ----------
    name
        For people; never a path.
    file
        One channel of 32-bit floats. It is not there if all that the model needs was computed while it was decoded.
    sample_rate, frames
        In Hz, and the number of samples.
    note
        A note for people on damage; "" without.
    began
        The clock time at its start in the form of ISO 8601, by the header; "" without.
    features
        Of a clip to label, if they are computed already.
    """

    name: str
    file: Path
    sample_rate: int
    frames: int
    note: str = ""
    began: str = ""
    features: Measured | None = None

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.frames / self.sample_rate


class Decoders:
    """A fixed number of decoding processes, started when they are needed.

    Parameters
    ----------
    limits
        Of a recording, and of a process.
    count
        Number of processes.
    needs
        Tells what the model needs of clips to label.
    counters
        Count the processor time of clips to label.
    """

    def __init__(
        self,
        limits: Limits,
        count: int = 2,
        needs: Callable[[], Needs] = lambda: Needs(None, sound=True),
        counters: Counters | None = None,
    ) -> None:
        self._limits, self.count, self._needs = limits, count, needs
        self._counters = counters or Counters()
        self._clips, self._lock = 0, threading.Lock()
        # the last one to be idle is the next one: with few requests the others need not start
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def clips(self) -> int:
        """Count the clips to label that wait to be decoded, or are."""
        return self._clips

    def decode(self, name: str, source: Path, target: Path, *, whole: bool = False) -> Sound:
        """Decode a file in the next free process; block until it is done.

        Parameters
        ----------
        name
            For people.
        source, target
            The upload, and the WAV file to write.
        whole
            It is a clip to label: it is refused if its end is missing, and its features are computed.

        Raises
        ------
        RefusedError
            If it cannot be decoded within the limits.
        """
        with self._lock:
            self._clips += whole
        try:
            return self._decode(name, source, target, whole)
        finally:
            with self._lock:
                self._clips -= whole

    def _decode(self, name: str, source: Path, target: Path, whole: bool) -> Sound:
        limits = self._limits
        needs = self._needs() if whole else Needs(None, sound=True)
        config = needs.summary
        until = time.monotonic() + limits.request_seconds
        try:
            process = self._idle.get(timeout=limits.request_seconds)
        except queue.Empty:
            raise busy("All decoders are at work. Try again later.", 10) from None
        try:
            if process is None or not process.alive:
                process = _Process(limits.decoder_megabytes)
            request = {
                "source": str(source),
                "target": str(target),
                "seconds": limits.seconds,
                "whole": whole,
                "features": None if config is None else asdict(config),
                "keep": needs.sound,
            }
            answer = process.ask(request, until - time.monotonic())
        except TimeoutError:
            raise RefusedError(
                422,
                "too_slow_to_decode",
                f"{name} took over {limits.request_seconds:g} s to decode. Send a shorter one.",
            ) from None
        except EOFError:
            raise RefusedError(
                422,
                "undecodable",
                f"{name} crashed its decoder, or needs too much memory. Convert it to WAV or FLAC.",
            ) from None
        finally:
            self._idle.put(process)
        if "problem" in answer:
            target.unlink(missing_ok=True)
            raise RefusedError(422, "undecodable", f"{name} {answer['problem']}")
        if whole:
            for part, seconds in answer["cpu"].items():
                self._counters.add("aurist_cpu_seconds_total", seconds, part=part)
        measured = None
        if config is not None and answer["features"] is not None:
            measured = Measured(config, np.frombuffer(b64decode(answer["features"]), np.float32))
        return Sound(
            name, target, answer["sample_rate"], answer["frames"], answer["note"], answer["began"], measured
        )

    def close(self) -> None:
        """End the processes."""
        with suppress(queue.Empty):
            while True:
                process = self._idle.get_nowait()
                if process is not None:
                    process.kill()


class _Process:
    """One decoding process, and a thread that takes its answers."""

    def __init__(self, megabytes: int) -> None:
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aurist.serve.decoding", str(megabytes * 1_000_000)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**os.environ, **one_thread},
            start_new_session=True,  # Ctrl-C is the server's
        )
        self._answers: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._answers.put(line)
        self._answers.put("")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request, and wait for the answer; the process is killed if it takes too long."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            self.kill()
            raise TimeoutError from None
        except OSError:
            raise EOFError from None
        if not line:
            self.kill()
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        assert self._process.stdin is not None
        self._process.kill()
        self._process.wait()
        with suppress(OSError):  # what was not sent yet
            self._process.stdin.close()
        self._listener.join()
