"""Damage one file of an intact input, read it as a command does, and tell what came out."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aurist.errors import AuristError

from .mutate import mutated

#: Limits of one input in seconds and bytes.
SECONDS, MEMORY = 20, 2 << 30
CLEAN, OURS, HANG, LARGE, CRASH = "clean", "error of ours", "HANG", "OVER 2 GB", "CRASH"


@dataclass(frozen=True)
class Target:
    """A kind of input.

    Parameters
    ----------
    name
        Name of the kind.
    make
        Writes an intact input into a folder.
    read
        Reads a folder, in which one file is damaged, as a command does.
    share
        Share of all mutations, relative to the other kinds.
    keep
        Files of the folder that stay intact, by the beginning of their path.
    folder
        True if the input is a folder of files that belong together, as a run is: slow to make and to read.
    """

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    share: float = 1.0
    keep: tuple[str, ...] = ()
    folder: bool = False


class Hang(BaseException):
    """An input took longer than allowed. No ``except Exception`` can hide it."""


def _expired(*_: object) -> None:
    raise Hang


def outcome(target: Target, folder: Path, memory: int = MEMORY) -> tuple[str, str]:
    """Return the result of reading a folder: one of the outcomes, or the name of an exception; and its message."""
    signal.signal(signal.SIGALRM, _expired)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(folder)
    except AuristError as error:
        return OURS, str(error)
    except Hang:
        return HANG, f"over {SECONDS} s"
    except Exception as error:
        return type(error).__name__, "".join(traceback.format_exception(error)[-3:])
    finally:
        signal.alarm(0)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return (LARGE, f"{most >> 20} MB") if most > memory else (CLEAN, "")


def damage(folder: Path, keep: tuple[str, ...], rng: np.random.Generator) -> str:
    """Damage or remove one file of a folder. Return a description."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    files = [path for path in files if not str(path.relative_to(folder)).startswith(keep)] if keep else files
    path = files[int(rng.integers(0, len(files)))]
    name = path.relative_to(folder)
    if len(files) > 1 and rng.random() < 0.04:
        path.unlink()
        return f"{name}: gone"
    if len(files) > 1 and rng.random() < 0.04:
        other = files[int(rng.integers(0, len(files)))]
        data = other.read_bytes()
        path.write_bytes(data)
        return f"{name}: is {other.relative_to(folder)}"
    how, data = mutated(path.read_bytes(), path.suffix, rng)
    path.write_bytes(data)
    return f"{name}: {how}"


def prepared(target: Target, temporary: Path) -> Path:
    """Make an intact input, and read it: libraries are loaded then. Return its folder."""
    made = temporary / "in"
    made.mkdir()
    target.make(made)
    target.read(made)
    return made.rename(temporary / "whole")


def _copy(whole: Path, folder: Path) -> None:
    """Copy a folder with the times of its files, which a cache knows."""
    folder.mkdir()
    for entry in os.scandir(whole):
        if entry.is_dir():
            _copy(Path(entry.path), folder / entry.name)
        else:
            copied = shutil.copyfile(entry.path, f"{folder}/{entry.name}")
            os.utime(copied, ns=(entry.stat().st_atime_ns, entry.stat().st_mtime_ns))


def one(target: Target, whole: Path, number: int, seed: int, memory: int = MEMORY) -> tuple[str, str, str]:
    """Return the outcome of one mutation, its description and the message.

    It depends only on the kind, its number and the seed.
    """
    rng = np.random.default_rng([seed, sum(target.name.encode()), number])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "in"
        if target.folder:  # a cache knows files by the paths that they were made at
            folder = whole.with_name("in")
            shutil.rmtree(folder, ignore_errors=True)
        _copy(whole, folder)
        done = damage(folder, target.keep, rng)
        kind, message = outcome(target, folder, memory)
    return kind, done, message
