"""Choose the engine that runs a kind of network fastest on this machine, and remember it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aurist.errors import AuristError, ConfigError, RunError
from aurist.folders import default_cache_dir
from aurist.machine import installed_version
from aurist.models.onnx_networks.sessions import (
    ENGINES,
    MNN,
    ONNXRUNTIME,
    OPENVINO,
    OPENVINO_BF16,
    Float,
    Session,
    has_engine,
    open_session,
    other_engines,
)
from aurist.records import read_record, write_record
from aurist.system import cpu_name

#: Fixes the engine: one of `ENGINES`, or `TORCH`.
SETTING, TORCH = "AURIST_ENGINE", "torch"
#: Windows per batch that are measured; the last is used if nothing is measured.
BATCHES = (1, 8)
#: Another engine or batch must be this much faster than the default to be used.
_GAIN = 1.1
#: By engine: it is used if no probability of the measured batch moves by more than this.
LARGEST_DIFFERENCE = {OPENVINO_BF16: 2e-3, MNN: 1e-4}
#: Enough windows for each engine to be worth its start.
MANY_WINDOWS = 1 << 20
#: Runs of each candidate; the fastest counts, as the first prepares, and other work on the machine only slows.
#: The time of the processor counts where it is measured finely, as other work hardly changes it.
_RUNS = 4
#: Seconds after which no run is repeated.
_ENOUGH = 2.0
_FOLDER = "engines"


@dataclass(frozen=True)
class Choice:
    """The engine, one of `ENGINES`, and the windows per batch."""

    engine: str = ONNXRUNTIME
    batch: int = BATCHES[-1]


def engine_setting() -> str | None:
    """Return the engine that ``$AURIST_ENGINE`` fixes, if it does.

    Raises
    ------
    ConfigError
        If there is no such engine.
    """
    engine = os.environ.get(SETTING) or None
    if engine is not None and engine not in (*ENGINES, TORCH):
        raise ConfigError(f"${SETTING} is {engine!r}, but must be one of: {', '.join((*ENGINES, TORCH))}.")
    return engine


def choose(path: Path, network: Mapping[str, object], cache_dir: Path | None = None) -> Choice:
    """Return the engine and the batch for networks of this kind: the stored choice, or else the fastest measured.

    A choice is stored for the machine, the versions of the engines and the kind of network, so that the same machine
    gives the same answers. If it cannot be stored, nothing is measured.

    Parameters
    ----------
    path
        The ONNX file of one of the networks.
    network
        What its speed depends on: its layers and the shape of its input.
    cache_dir
        The folder of stored choices; None: the default folder.
    """
    fixed = engine_setting()
    if fixed is not None:
        return Choice(fixed)
    file = (cache_dir or default_cache_dir()) / _FOLDER / f"{_key(network)}.json"
    choice = _stored(file)
    if choice is None and _can_write(file.parent):
        choice = _fastest(path)
        with suppress(OSError, AuristError):
            write_record(file, choice)
    return choice or Choice()


def is_accurate(exact: Session, fast: Session, limit: float) -> bool:
    """Return True if no probability differs by the limit between two sessions of a network."""
    images = _images(exact, BATCHES[-1])
    apart = np.abs(_softmax(exact.run(images)) - _softmax(fast.run(images)))
    return bool(apart.max() < limit)


def _key(network: Mapping[str, object]) -> str:
    machine = [cpu_name(), *(f"{name} {installed_version(name)}" for name in (ONNXRUNTIME, OPENVINO, MNN))]
    text = json.dumps([machine, network], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _stored(file: Path) -> Choice | None:
    if not file.exists():
        return None
    try:
        choice = read_record(file, Choice, "It is measured again.")
    except AuristError:
        return None
    usable = choice.engine in ENGINES and has_engine(choice.engine)
    return choice if usable and choice.batch in BATCHES else None


def _can_write(folder: Path) -> bool:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    return False


def _fastest(path: Path) -> Choice:
    """Measure all engines and batches on one core, in turn, and return the best."""
    exact = open_session(path, ONNXRUNTIME, 1)
    others = {engine: _accurate_session(path, engine, exact) for engine in other_engines()}
    sessions = {ONNXRUNTIME: exact, **{engine: session for engine, session in others.items() if session}}
    is_fine = time.get_clock_info("process_time").resolution < 1e-4
    clock = time.process_time if is_fine else time.perf_counter
    seconds: dict[Choice, list[float]] = {}
    first = time.perf_counter()
    for _ in range(_RUNS):
        for engine, session in sessions.items():
            for batch in BATCHES:
                images = _images(session, batch)
                began = clock()
                session.run(images)
                taken = clock() - began
                seconds.setdefault(Choice(engine, batch), []).append(taken / batch)
        if time.perf_counter() - first > _ENOUGH:  # large networks
            break
    best = {choice: min(times) for choice, times in seconds.items()}
    fastest, default = min(best, key=lambda choice: best[choice]), Choice()
    return fastest if best[fastest] * _GAIN < best[default] else default


def _accurate_session(path: Path, engine: str, exact: Session) -> Session | None:
    """Open a network on an engine; None if it cannot run it, or with other answers."""
    session = open_session(path, engine, 1)
    try:
        session.expect(MANY_WINDOWS)
    except RunError:
        return None
    limit = LARGEST_DIFFERENCE.get(engine)
    return session if limit is None or is_accurate(exact, session, limit) else None


def _images(session: Session, batch: int) -> Float:
    """Make smooth images of noise, as spectrograms are, (batch, channels, rows, frames)."""
    noise = np.random.default_rng(0).standard_normal((batch, *session.input_shape)).astype(np.float32)
    return np.cumsum(noise, axis=-1, dtype=np.float32) / np.float32(np.sqrt(noise.shape[-1]))


def _softmax(logits: Float) -> Float:
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
