"""What was learnt of files, remembered: one SQLite file, asked by path, size and time of change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from aurist.audit.files import FileFacts, SpanFacts
from aurist.audit.fingerprint import Fingerprint

NAME = "audit.sqlite"
BATCH = 500


class FactsCache:
    """Facts of files from earlier checks.

    A cache that cannot be opened, read or written is passed over: it only saves time.

    Parameters
    ----------
    folder
        Where the cache file lies; None for no cache.
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
        """The facts under these keys, as far as there are any."""
        wanted = list(keys)
        found: dict[str, FileFacts] = {}
        if self._file is None:
            return found
        try:
            for begin in range(0, len(wanted), BATCH):
                some = wanted[begin : begin + BATCH]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, facts, code, known FROM facts WHERE key IN ({marks})"
                for key, text, code, known in self._file.execute(query, some):
                    found[key] = _unpacked(text, code, known)
        except (sqlite3.Error, ValueError, TypeError, KeyError):
            self.close()
        return found

    def put(self, facts: Mapping[str, FileFacts]) -> None:
        """Remember these facts."""
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
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _packed(facts: FileFacts) -> tuple[str, bytes, bytes]:
    plain = {**vars(facts), "spans": [list(vars(span).values()) for span in facts.spans]}
    prints = plain.pop("prints")
    plain["hop"] = prints.hop
    return json.dumps(plain), prints.code.astype("<u8").tobytes(), prints.known.astype("<u8").tobytes()


def _unpacked(text: str, code: bytes, known: bytes) -> FileFacts:
    plain = json.loads(text)
    words = [np.frombuffer(blob, dtype="<u8").astype(np.uint64) for blob in (code, known)]
    prints = Fingerprint(words[0], words[1], plain.pop("hop"))
    spans = tuple(SpanFacts(*values) for values in plain.pop("spans"))
    gaps = tuple((first, last) for first, last in plain.pop("gaps"))
    return FileFacts(**plain, gaps=gaps, spans=spans, prints=prints)
