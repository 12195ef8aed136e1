"""Archives at URLs: a small file in the cache stands for one, and its bytes are fetched where they are read."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, BinaryIO

from aurist.archives.archive import ArchiveError
from aurist.extras import need_extra
from aurist.files import write_text
from aurist.folders import default_cache_dir

#: The beginning of a file that stands for an archive at a URL.
_MARK = "aurist: an archive at a URL\n"
#: A drive of Windows has one letter. Paths lose one of the slashes.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,2}([^/].*)")
#: Bytes fetched at once: recordings follow one another.
_BLOCK = 1 << 22


def url_of(source: str) -> str | None:
    """Return the URL in a text, also in one that was a path and lost a slash; None for a path.

    Examples
    --------
    >>> url_of("http:/host/a.zip"), url_of("s3://bucket/a.tar"), url_of("C:/a.zip"), url_of("a.zip")
    ('http://host/a.zip', 's3://bucket/a.tar', None, None)
    """
    match = _URL.fullmatch(source)
    return None if match is None or Path(source).exists() else f"{match[1]}://{match[2]}"


def link(url: str) -> list[Path]:
    """Make the files that stand for the archives at a URL; several if it has a ``*`` in it.

    Raises
    ------
    ArchiveError
        If it cannot be reached, or there is none.
    MissingExtraError
        If fsspec is not installed.
    """
    need_extra("hub", f"{url}, an archive at a URL,")
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(url)
        paths = sorted(files.glob(path)) if "*" in path else [path]
        facts = {one: files.info(one) for one in paths}
    except Exception as error:  # each file system has errors of its own
        raise _unreachable(url, error) from error
    if not facts:
        raise ArchiveError(f"There is nothing at {url}.")
    folder = _stand_ins() / hashlib.sha256(url.encode()).hexdigest()[:16]
    return [_stand_in(folder, files.unstrip_protocol(one), info) for one, info in facts.items()]


def _stand_ins() -> Path:
    return default_cache_dir() / "remote"


def _stand_in(folder: Path, url: str, info: dict[str, Any]) -> Path:
    """Write the file that stands for an archive; it changes if the archive does."""
    name = PurePosixPath(url.partition("?")[0]).name
    state = {key: str(info[key]) for key in ("size", "ETag", "etag", "mtime", "LastModified") if key in info}
    text = _MARK + json.dumps({"url": url, **state}) + "\n"
    path = folder / name
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return path


def source_of(path: Path) -> Path | BinaryIO:
    """Return the path of a file; open the archive at a URL if the file stands for one.

    Only files that `link` wrote do: other people's data shall not make this machine fetch anything.

    Raises
    ------
    ArchiveError
        If the URL cannot be reached, or its server gives only whole files.
    """
    if not path.resolve().is_relative_to(_stand_ins().resolve()):
        return path
    with path.open("rb") as file:
        beginning = file.read(len(_MARK))
        rest = file.read(1 << 16) if beginning == _MARK.encode() else b""
    if not rest:
        return path
    url = str(json.loads(rest)["url"])
    need_extra("hub", f"{url}, an archive at a URL,")
    import fsspec

    try:
        remote: BinaryIO = fsspec.open(url, "rb", block_size=_BLOCK).open()
    except Exception as error:  # as above
        raise _unreachable(url, error) from error
    try:
        remote.seek(max(0, remote.seek(0, 2) - 1))
        remote.read(1)
        remote.seek(0)
    except (ValueError, OSError) as error:  # what fsspec raises for servers that give no ranges
        raise ArchiveError(
            f"The server of {url} gives only whole files. Fetch the archive, and give its path."
        ) from error
    return remote


class ByteRanges:
    """A file, or an archive at a URL, read at positions by several threads."""

    def __init__(self, path: Path) -> None:
        self._source, self._lock = source_of(path), Lock()
        self.size = path.stat().st_size if isinstance(self._source, Path) else self._source.seek(0, 2)

    def read(self, offset: int, size: int) -> bytes:
        """Read bytes; fewer if the file ends before."""
        size = max(0, min(size, self.size - offset))  # a damaged size would be allocated as a whole
        if isinstance(self._source, Path):
            with self._source.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        with self._lock:
            self._source.seek(offset)
            return self._source.read(size)


def _unreachable(url: str, error: Exception) -> ArchiveError:
    reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
    return ArchiveError(f"{url} cannot be reached: {reason[0]}. Check the address, and your rights there.")
