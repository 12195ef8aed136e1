"""Model folders at other places: the Hugging Face hub, and any URL that fsspec opens."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from aurist.errors import AuristError, ConfigError, reason
from aurist.extras import need_extra
from aurist.folders import default_cache_dir
from aurist.run.model_files import ModelFiles
from aurist.run.model_folder import open_model

if TYPE_CHECKING:
    from collections.abc import Callable

HUB = "hf://"
_WHAT = "A model at another place"


class RemoteError(AuristError):
    """A place cannot be reached, or refuses."""


def is_url(text: str) -> bool:
    """Return True for a URL, as opposed to a path.

    Examples
    --------
    >>> is_url("hf://owner/name"), is_url("model/"), is_url("C:/model")
    (True, False, False)
    """
    return "://" in text


def local_folder(text: str) -> Path:
    """Give the path of a model folder; one at a URL is fetched into the cache folder first.

    Parameters
    ----------
    text
        A path, ``hf://owner/name``, ``hf://owner/name@revision``, or a URL that fsspec opens.

    Raises
    ------
    RemoteError
        If it cannot be fetched.
    """
    if not is_url(text):
        return Path(text)
    need_extra("hub", _WHAT)
    folder = default_cache_dir() / "models" / hashlib.sha256(text.encode()).hexdigest()[:16]
    _reach(text, lambda: _fetch(text, folder))
    return folder


def open_trained(text: str) -> ModelFiles:
    """Open a run or a model folder, at a path or at a URL: see `local_folder` and `open_model`."""
    return open_model(local_folder(text))


def _fetch(url: str, folder: Path) -> None:
    if url.startswith(HUB):
        from huggingface_hub import snapshot_download

        name, revision = _hub_name(url)
        snapshot_download(name, revision=revision, local_dir=folder)
        return
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    folder.mkdir(parents=True, exist_ok=True)
    files.get(path.rstrip("/") + "/", f"{folder}/", recursive=True)


def upload(folder: Path, url: str, *, private: bool = True) -> None:
    """Copy a model folder to a URL.

    Parameters
    ----------
    folder
        The model folder.
    url
        ``hf://owner/name`` (the token is that of ``hf auth login``, or ``$HF_TOKEN``), or a URL that fsspec opens.
    private
        If the repository of the hub does not exist yet, make it for yourself alone.

    Raises
    ------
    ConfigError
        If it is no URL.
    RemoteError
        If the place cannot be reached, or refuses.
    """
    if not is_url(url):
        raise ConfigError(f"{url!r} is no URL. Give one such as hf://owner/name or s3://bucket/name.")
    need_extra("hub", _WHAT)
    _reach(url, lambda: _upload(folder, url, private))


def _upload(folder: Path, url: str, private: bool) -> None:
    if url.startswith(HUB):
        from huggingface_hub import HfApi

        name, revision = _hub_name(url)
        hub = HfApi(library_name="aurist")
        hub.create_repo(name, private=private, exist_ok=True)
        hub.upload_folder(
            repo_id=name,
            folder_path=folder,
            revision=revision,
            commit_message="Upload by aurist",
            ignore_patterns=[".*"],
            delete_patterns=["models/**", "embedders/**", "example/**", "*.npz"],
        )
        return
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    files.makedirs(path, exist_ok=True)
    files.put(f"{folder}/", path.rstrip("/") + "/", recursive=True)


def _hub_name(url: str) -> tuple[str, str | None]:
    """Divide hf://owner/name@revision.

    Examples
    --------
    >>> _hub_name("hf://anna/wrens@v2")
    ('anna/wrens', 'v2')
    """
    name, _, revision = url.removeprefix(HUB).strip("/").partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise ConfigError(
            f"{url!r} is no place at the hub. Give hf://owner/name, or hf://owner/name@revision."
        )
    return name, revision or None


def _reach(url: str, call: Callable[[], None]) -> None:
    try:
        call()
    except AuristError:
        raise
    except Exception as error:  # each library and each file system has errors of its own
        raise RemoteError(
            f"{url} cannot be reached, or refuses: {reason(error)} Check the name and the connection; for the hub, log "
            "in with: hf auth login"
        ) from error
