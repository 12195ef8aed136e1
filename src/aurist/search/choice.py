"""Choose the embedder of an index."""

from __future__ import annotations

from pathlib import Path

from aurist.embedders import (
    Available,
    Embedder,
    EmbedderRecord,
    check_licence,
    find_embedder,
    is_accepted,
    list_embedders,
    load_embedder,
)
from aurist.errors import ConfigError
from aurist.files import sha256_of


def embedder_for(name: str | None) -> tuple[EmbedderRecord, Embedder, Path]:
    """Open an embedder by name, or the only one of this machine; return the file of its network, too.

    Raises
    ------
    ConfigError
        If none or several can be used and no name is given, or a licence was not accepted.
    EmbedderError
        If its network is not on this machine, or cannot be run.
    """
    available = _only_one() if name is None else find_embedder(name)
    spec = available.spec
    check_licence(spec)
    path = available.path()
    return EmbedderRecord(spec, sha256_of(path)), load_embedder(spec, path), path


def _only_one() -> Available:
    ready = [one for one in list_embedders() if one.network is not None and is_accepted(one.spec)]
    if len(ready) == 1:
        return ready[0]
    if not ready:
        raise ConfigError(
            "An index needs a pretrained network, and none is ready on this machine. `aurist embedders` lists some."
        )
    names = ", ".join(one.spec.name for one in ready)
    raise ConfigError(
        f'Several pretrained networks are ready: {names}. Choose one: embed="{ready[0].spec.name}"'
    )
