"""Licences of embedders that must be accepted: once, by name, in a file of the user."""

from __future__ import annotations

from aurist.embedders.catalogue import user_folder
from aurist.embedders.spec import EmbedderSpec
from aurist.errors import ConfigError
from aurist.files import write_json
from aurist.stored import read_json

_FILE = "accepted.json"


def is_accepted(spec: EmbedderSpec) -> bool:
    """Return True if the licence allows commercial use, or was accepted on this machine."""
    path = user_folder() / _FILE
    if spec.commercial:
        return True
    if not path.exists():
        return False
    accepted = read_json(path, {str: str}, f"Remove {path}, and accept the licence again.")
    return bool(accepted.get(spec.name) == spec.licence)


def check_licence(spec: EmbedderSpec) -> None:
    """Check that an embedder may be used.

    Raises
    ------
    ConfigError
        If its licence forbids commercial use, and was not accepted.
    """
    if not is_accepted(spec):
        raise ConfigError(
            f"The licence of {spec.name} is {spec.licence}: it forbids commercial use. If that suits you, accept it "
            f'once: accept_licence="{spec.name}"'
        )


def accept_licence(spec: EmbedderSpec) -> None:
    """Remember that the licence of an embedder was accepted."""
    path = user_folder() / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    accepted = read_json(path, {str: str}, f"Remove {path}.") if path.exists() else {}
    write_json(path, {**accepted, spec.name: spec.licence})
