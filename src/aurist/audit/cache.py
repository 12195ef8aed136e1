"""Remember facts about files in one SQLite file, by path, size and modification time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from aurist.audit.files import FileFacts, SpanFacts
from aurist.audit.fingerprint import Fingerprint
from aurist.stored import check_shape

NAME = "audit.sqlite"
BATCH = 500
#: The facts of a file, as JSON.
_FACTS = {
    "problem": (str, None),
    "detail": str,
    "format": str,
    "encoding": str,
    "sample_rate": float,
    "channels": int,
    "seconds": float,
    "truncated": bool,
    "note": str,
    "gaps": [[float]],
    "digest": str,
    "spans": [[float]],
    "hop": float,
}


class FactsCache:
    """Facts of files from earlier checks.

    A cache that cannot be opened, read or written is ignored: it only saves time.

    Parameters
    ----------
    folder
        Folder of the cache file; None: no cache.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file: sqlite3.Connection | None = None
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(folder / NAME, timeout=10)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, facts TEXT, code BLOB, known BLOB)"
            )
        except (OSError, sqlite3.Error):
            self.close()

    def get(self, keys: Iterable[str]) -> dict[str, FileFacts]:
        """Return the stored facts of these keys."""
        all_keys = list(keys)
        facts: dict[str, FileFacts] = {}
        if self._file is None:
            return facts
        try:
            for begin in range(0, len(all_keys), BATCH):
                batch = all_keys[begin : begin + BATCH]
                marks = ",".join("?" * len(batch))
                query = f"SELECT key, facts, code, known FROM facts WHERE key IN ({marks})"
                for key, text, code, reliable in self._file.execute(query, batch):
                    facts[key] = _unpacked(text, code, reliable)
        except (sqlite3.Error, ValueError, TypeError, KeyError):
            self.close()
        return facts

    def put(self, facts: Mapping[str, FileFacts]) -> None:
        """Store these facts."""
        if self._file is None or not facts:
            return
        try:
            with self._file:
                self._file.executemany(
                    "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)",
                    [(key, *_packed(value)) for key, value in facts.items()],
                )
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _packed(facts: FileFacts) -> tuple[str, bytes, bytes]:
    fields = {**vars(facts), "spans": [list(vars(span).values()) for span in facts.spans]}
    prints = fields.pop("prints")
    fields["hop"] = prints.hop
    return json.dumps(fields), prints.code.astype("<u8").tobytes(), prints.reliable.astype("<u8").tobytes()


def _unpacked(text: str, code: bytes, reliable: bytes) -> FileFacts:
    fields = json.loads(text)
    check_shape(fields, _FACTS)
    arrays = [np.frombuffer(blob, dtype="<u8").astype(np.uint64) for blob in (code, reliable)]
    if len(arrays[0]) != len(arrays[1]):
        raise ValueError("a fingerprint has codes without reliable bits")
    prints = Fingerprint(arrays[0], arrays[1], fields.pop("hop"))
    spans = tuple(SpanFacts(*values) for values in fields.pop("spans"))
    gaps = tuple((first, last) for first, last in fields.pop("gaps"))
    bytes.fromhex(fields["digest"])
    return FileFacts(**fields, gaps=gaps, spans=spans, prints=prints)
