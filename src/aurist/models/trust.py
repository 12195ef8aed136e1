"""Pickles can run any command. Models that hold some are loaded if this user fitted them here, or trusts them.

A fit signs the files of such a model with a key of the user. Nobody who hands on a run can make that signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from aurist.errors import RunError
from aurist.files import write_text
from aurist.folders import default_cache_dir

#: Set to 1, it allows pickles of any run.
TRUST = "AURIST_TRUST"
_SIGNATURE, _KEY = "signature.txt", "trust.key"
#: Tables and facts are written after the signature, and never loaded as a model.
_UNSIGNED = {
    _SIGNATURE,
    "unit.json",
    *(f"{table}.{suffix}" for table in ("predictions", "variants") for suffix in ("parquet", "npz")),
}


def sign(folder: Path) -> None:
    """Sign the files of a fold that hold pickles. Without a place for the key, they stay without a signature."""
    with contextlib.suppress(OSError):
        write_text(folder / _SIGNATURE, _signature(folder, _read_key(make=True)))


def require_trust(folder: Path, library: str) -> None:
    """Refuse pickles that come from elsewhere.

    Parameters
    ----------
    folder
        The folder of a fold.
    library
        The library that stored them.

    Raises
    ------
    RunError
        If they were not fitted by this user on this machine, and ``$AURIST_TRUST`` is not 1.
    """
    if os.environ.get(TRUST) == "1":
        return
    path = folder / _SIGNATURE
    with contextlib.suppress(OSError, ValueError):
        expected = _signature(folder, _read_key(make=False))
        if hmac.compare_digest(path.read_bytes().strip(), expected.encode()):
            return
    raise RunError(
        f"{folder} holds pickles of {library}, which may run any command on this machine, and you did not fit them "
        f"here. If you trust where they come from, give trust=True, or set the variable {TRUST} to 1. Else predict "
        "with another model=."
    )


def _signature(folder: Path, key: bytes) -> str:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in _UNSIGNED:
            digest.update(name.encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _read_key(*, make: bool) -> bytes:
    path = default_cache_dir() / _KEY
    if make and not path.exists():
        write_text(path, secrets.token_hex(32))
        path.chmod(0o600)
    return bytes.fromhex(path.read_text(encoding="utf-8"))
