"""The description of an embedder: a small TOML file beside its network."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from aurist.config import read_toml
from aurist.errors import ConfigError, listing
from aurist.folders import check_name
from aurist.records import OPTIONAL, from_json, to_json

#: Kinds of network files.
SUFFIXES = (".onnx", ".tflite")
_STATISTICS = ("mean", "std", "max")
#: Fields that vectors do not depend on.
_DESCRIBED = {
    *("name", "file", "package", "licence", "commercial", "redistribute", "trained_on", "overlaps", "source"),
    *("classes", "scores", "scores_are"),
}


@dataclass(frozen=True, kw_only=True)
class FrontSpec:
    """The front end of a network that takes log-mel spectrograms: it is put before the network, in one graph.

    Parameters
    ----------
    n_fft, window, hop
        Samples of the Fourier transform, of the Hann window in it, and from one frame to the next. Frames are not
        centred: the first begins with the sound.
    n_mels, fmin, fmax
        The mel filter bank (HTK scale, peaks of 1): its bands, and its range in Hz.
    power
        1 for magnitudes, 2 for powers.
    offset
        The image is log(bands + offset).
    layout
        The axes of the image: ``"tm"`` for (frames, bands), ``"mt"`` for (bands, frames).
    """

    n_fft: int
    window: int
    hop: int
    n_mels: int
    fmin: float
    fmax: float
    power: float = 2.0
    offset: float = 1e-6
    layout: Literal["tm", "mt"] = "tm"


@dataclass(frozen=True, kw_only=True)
class EmbedderSpec:
    """A pretrained network that turns a window of sound into a vector.

    Parameters
    ----------
    name
        Its name, a part of the names of features.
    file
        The network, ``.onnx`` or ``.tflite``: beside the TOML file, or within the package. ``a.zip/b.onnx`` is a file
        in an archive.
    package
        The installed package that ships the network; empty for a file of the user.
    sha256
        The hash of the network's file; empty: any file is taken.
    sample_rate
        In Hz.
    seconds, hop
        Length of a window, and from one window to the next; ``hop`` 0: as long as a window.
    input, output
        Names of tensors; they may be inner ones. Empty: the only input, the only output.
    size
        Numbers in a vector; 0: any.
    level
        ``"as_is"``, or ``"peak"``: the mean of each window is taken away, and its peak becomes ``peak``.
    peak
        The peak of windows, for ``level = "peak"``.
    pad
        The end of a window if the sound is shorter: ``"zeros"``, or ``"repeat"``.
    pool
        Statistics over the windows of a clip: mean, std, max.
    floats
        True: leave out the 8-bit roundings of a quantised ONNX network; its weights must be floats.
    front
        The front end of a network that takes spectrograms; None if it takes sound.
    licence
        The licence of the weights.
    commercial
        False if the licence forbids commercial use: it must be accepted once.
    redistribute
        True if an exported model may hold the network; else it only names it by its hash.
    trained_on
        Its training data, for people.
    overlaps
        Data sets that are known to share recordings with its training data, for people.
    source
        Where the network can be had.
    classes
        A file with the names of classes, if the network also classifies: beside the TOML file, or within the package. A
        name a line, or a CSV file with a header and the names in its last column.
    scores
        The tensor with a score for each class.
    scores_are
        ``"logits"``, which a sigmoid turns into probabilities, or ``"probabilities"``.
    """

    name: str
    file: str
    sample_rate: int
    seconds: float
    hop: float = 0.0
    package: str = field(default="", metadata=OPTIONAL)
    sha256: str = field(default="", metadata=OPTIONAL)
    input: str = field(default="", metadata=OPTIONAL)
    output: str = field(default="", metadata=OPTIONAL)
    size: int = field(default=0, metadata=OPTIONAL)
    level: Literal["as_is", "peak"] = "as_is"
    peak: float = field(default=1.0, metadata=OPTIONAL)
    pad: Literal["zeros", "repeat"] = "zeros"
    pool: tuple[str, ...] = ("mean",)
    floats: bool = field(default=False, metadata=OPTIONAL)
    front: FrontSpec | None = field(default=None, metadata=OPTIONAL)
    licence: str = field(default="", metadata=OPTIONAL)
    commercial: bool = field(default=True, metadata=OPTIONAL)
    redistribute: bool = field(default=False, metadata=OPTIONAL)
    trained_on: tuple[str, ...] = field(default=(), metadata=OPTIONAL)
    overlaps: tuple[str, ...] = field(default=(), metadata=OPTIONAL)
    source: str = field(default="", metadata=OPTIONAL)
    # not compared: runs and indexes of the same vectors go on when their embedder learns to name its classes
    classes: str = field(default="", metadata=OPTIONAL, compare=False)
    scores: str = field(default="", metadata=OPTIONAL, compare=False)
    scores_are: Literal["logits", "probabilities"] = field(default="logits", metadata=OPTIONAL, compare=False)

    def __post_init__(self) -> None:
        check_name(self.name, "The name of an embedder")
        problems = [
            text
            for wrong, text in [
                (
                    Path(self.file).suffix not in SUFFIXES,
                    f"file is {self.file!r}, and must end in {_or(SUFFIXES)}",
                ),
                (self.sample_rate < 1, f"sample_rate is {self.sample_rate}, and must be positive"),
                (
                    not 0.01 <= self.seconds <= 600,
                    f"seconds is {self.seconds:g}, and must be from 0.01 to 600",
                ),
                (
                    not 0 <= self.hop <= self.seconds,
                    f"hop is {self.hop:g}, and must be from 0 to {self.seconds:g}",
                ),
                (
                    not self.pool or set(self.pool) - set(_STATISTICS),
                    f"pool is {list(self.pool)}, and must be of {_or(_STATISTICS)}",
                ),
                (
                    bool(self.classes) != bool(self.scores),
                    "classes and scores belong together: one is missing",
                ),
                (self.front is not None and not self.file.endswith(".onnx"), "[front] is for .onnx files"),
                (
                    self.front is not None and self.front.window > self.front.n_fft,
                    "front.window exceeds front.n_fft",
                ),
            ]
            if wrong
        ]
        if problems:
            raise ConfigError(f"The embedder {self.name} cannot be used:\n{listing(problems)}")

    @property
    def n_samples(self) -> int:
        """Samples of a window."""
        return round(self.seconds * self.sample_rate)

    @property
    def step(self) -> float:
        """Seconds from one window to the next."""
        return self.hop or self.seconds

    def settings_key(self, sha256: str) -> bytes:
        """Return a key of all that vectors depend on, for a network with this hash."""
        used = {key: value for key, value in to_json(self).items() if key not in _DESCRIBED}
        text = json.dumps([used | {"sha256": sha256}], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


def read_embedder(path: Path) -> EmbedderSpec:
    """Read the description of an embedder.

    Parameters
    ----------
    path
        A TOML file; without ``name`` the embedder has the name of the file, without ``file`` its network has it.

    Raises
    ------
    ConfigError
        If it is not TOML, or a key or value is not valid.
    """
    table = read_toml(path, "the embedder")
    table.setdefault("name", path.stem)
    if "file" not in table:
        candidates = [path.with_suffix(suffix) for suffix in SUFFIXES]
        table["file"] = next((file.name for file in candidates if file.exists()), candidates[0].name)
    try:
        return from_json(EmbedderSpec, table)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise ConfigError(f"{path}: {error}") from error
        raise ConfigError(
            f"{path}: {error}. docs/embeddings.md lists the keys of an embedder's file."
        ) from error


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
