"""Processes that decode uploads: a file that takes too long, or crashes its decoder, harms no other request."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurist.serve.options import Limits
from aurist.serve.refusals import RefusedError, busy


@dataclass(frozen=True)
class Sound:
    """A decoded upload: its name as the client gave it, and the WAV file that the server wrote.

    Parameters
    ----------
    name
        For people; never a path.
    file
        One channel of 32-bit floats.
    sample_rate, frames
        In Hz, and the number of samples.
    note
        A note for people on damage; "" without.
    began
        The clock time at its start in the form of ISO 8601, by the header; "" without.
    """

    name: str
    file: Path
    sample_rate: int
    frames: int
    note: str = ""
    began: str = ""

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
    """

    def __init__(self, limits: Limits, count: int = 2) -> None:
        self._limits, self.count = limits, count
        self._clips, self._lock = 0, threading.Lock()
        self._idle: queue.Queue[_Process | None] = queue.Queue()
        for _ in range(count):
            self._idle.put(None)

    def clips(self) -> int:
        """Count the clips to label that wait to be decoded, or are."""
        return self._clips

    def decode(self, name: str, source: Path, target: Path, *, whole: bool = False) -> Sound:
        """Decode a file; block until it is done. ``whole``: it is a clip, and refused if its end is missing.

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
        """Decode in the next free process.

        Raises
        ------
        RefusedError
            If it cannot be decoded within the limits.
        """
        limits = self._limits
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
        return Sound(name, target, answer["sample_rate"], answer["frames"], answer["note"], answer["began"])

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
