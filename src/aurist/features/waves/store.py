"""Use the store of decoded audio: look up, append, respect the limit, or fall back to memory."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from aurist.errors import DataError
from aurist.features.cache import AUDIO
from aurist.features.waves import shards
from aurist.features.waves.index import Index
from aurist.features.waves.leases import Lease
from aurist.features.waves.limits import audio_limit, free_memory
from aurist.features.waves.shards import CannotStoreError, Entry, Float, Int16, Shard, encode


class WaveStoreError(DataError):
    """Decoded audio fits neither the disk nor the memory."""


class WaveStore:
    """Access of one call to the store. Safe with several threads; only one may call `commit`.

    Parameters
    ----------
    cache_dir
        Folder of the cache.
    sample_rate
        In Hz.
    limit
        Bytes that decoded audio may take, at all rates; None: `audio_limit`.
    """

    def __init__(self, cache_dir: Path, sample_rate: int, limit: int | None) -> None:
        self.folder = cache_dir / AUDIO
        #: Samples that could not be stored on the disk.
        self.in_memory: list[Int16] = []
        self._sample_rate = sample_rate
        self._limit = audio_limit(cache_dir) if limit is None else limit
        self._lock = threading.RLock()
        #: By key, its lock and how many threads use it.
        self._key_locks: dict[bytes, tuple[threading.Lock, int]] = {}
        #: Entries that are not in the index yet, or never will be.
        self._entries: dict[bytes, Entry] = {}
        self._unsaved: list[bytes] = []
        self._written: set[Shard] = set()
        self._current: Shard | None = None
        self._sizes: dict[str, int] = {}
        self._room = 0
        self._refused: Exception | None = None
        self._warned = False
        self._index = Index(self.folder)
        #: The lease of the shards of this call.
        self.lease: Lease | None = None
        self._taken = 0
        try:
            self.lease = self._index.lease()
            self._taken = self._index.trim(self._limit)
        except (CannotStoreError, OSError) as error:
            self._stop_storing(error)  # the warning comes later: stored audio may be enough

    @contextmanager
    def locked_key(self, key: bytes) -> Iterator[None]:
        """Lock a key, so only one thread creates its entry."""
        with self._lock:
            lock, users = self._key_locks.get(key, (threading.Lock(), 0))
            self._key_locks[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._key_locks.pop(key)
                if users > 1:
                    self._key_locks[key] = lock, users - 1

    def get(self, key: bytes) -> Entry | None:
        """Return the entry of a key; its shard then stays as long as the lease."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                return entry
            entry = self._index.find(key)
            if entry is not None and entry.end_byte > self._sizes.get(entry.shard, 0):
                return self._with_lease(key, entry.shard)
            return entry

    def put(self, key: bytes, blocks: Callable[[], Iterator[Float]], *, alone: bool) -> Entry:
        """Store the samples of a clip.

        Parameters
        ----------
        key
            Its key.
        blocks
            Yields the samples in pieces of whole `shards.BLOCK`, except for the last piece.
        alone
            True: write its own shard, while other threads write too.

        Raises
        ------
        WaveStoreError
            If neither disk nor memory have room.
        """
        entry = None
        if self._refused is None:
            try:
                entry = self._stored(blocks, alone)
            except CannotStoreError as error:
                self._stop_storing(error)
        if entry is None:
            self._warn()
            entry = self._store_in_memory(blocks())
        with self._lock:
            self._entries[key] = entry
            if entry.shard:
                self._unsaved.append(key)
        return entry

    def commit(self) -> None:
        """Write everything to the disk, safe from a kill: first the samples, then their entries."""
        with self._lock:
            keys, self._unsaved = self._unsaved, []
            written, self._written = self._written, set()
        try:
            for shard in written:
                shard.flush()
            if keys:
                entries = [(key, self._entries[key]) for key in keys]
                self._index.add(entries, {entry.shard for _, entry in entries})
                with self._lock:
                    for key in keys:
                        self._entries.pop(key, None)
        except (OSError, CannotStoreError) as error:
            self._stop_storing(error)
            self._warn()
        for shard in written:
            if shard is not self._current:
                shard.close()

    def close(self) -> None:
        """Commit, and close the written files; files for reading stay open."""
        with self._lock:
            current, self._current = self._current, None
            if current is not None:
                self._written.add(current)
        self.commit()
        if self.lease is not None:
            # if this cannot be written, the shards only look older than they are
            with suppress(CannotStoreError):
                self._index.add([], {name for name in self.lease.names if self._sizes.get(name)})
        self._index.close()

    def _with_lease(self, key: bytes, name: str) -> Entry | None:
        """Take a lease of a shard, then check again that the entry exists and is complete."""
        try:
            with self._index.writing():
                if self.lease is not None and name not in self.lease.names:
                    self.lease.add(name)
        except (CannotStoreError, OSError):
            pass  # if the index cannot be written, nothing can be deleted either
        entry = self._index.find(key)
        if entry is None:
            return None
        self._sizes[name] = shards.sound_size(self.folder / name)
        if entry.end_byte > self._sizes[name]:
            self._index.forget(name, self._sizes[name])
            return None
        return entry

    def _stored(self, blocks: Callable[[], Iterator[Float]], alone: bool) -> Entry:
        if alone:
            shard = self._new_shard()
            try:
                entry = self._appended(shard, map(encode, blocks()))
            except BaseException:
                shard.close()
                shard.path.unlink(missing_ok=True)
                raise
        else:
            encoded = [encode(block) for block in blocks()]
            with self._lock:
                if self._current is None or self._current.end > shards.SHARD_BYTES:
                    if self._current is not None:
                        self._written.add(self._current)
                    self._current = self._new_shard()
                shard = self._current
                entry = self._appended(shard, iter(encoded))
        with self._lock:
            self._written.add(shard)
            self._sizes[shard.name] = shard.end
        return entry

    def _new_shard(self) -> Shard:
        try:
            with self._lock, self._index.writing():
                shard = Shard(self.folder, self._sample_rate)
                if self.lease is not None:
                    self.lease.add(shard.name)
                return shard
        except OSError as error:
            raise CannotStoreError(str(error)) from error

    def _appended(self, shard: Shard, encoded: Iterator[tuple[Int16, Float]]) -> Entry:
        first, n_samples, scales = shard.end // 2, 0, [np.zeros(0, np.float32)]
        for data, scale in encoded:
            self._make_room(data.nbytes)
            try:
                shard.append(data)
            except OSError as error:
                raise CannotStoreError(str(error)) from error
            n_samples += len(data)
            scales.append(scale)
        return Entry(shard.name, first, n_samples, np.concatenate(scales))

    def _make_room(self, size: int) -> None:
        with self._lock:
            if self._taken + size > self._limit:
                self._taken = self._index.trim(self._limit - size)
            if self._taken + size > self._limit:
                raise CannotStoreError(f"the limit of {self._limit / 1e9:.3g} GB is reached")
            self._taken += size

    def _store_in_memory(self, blocks: Iterator[Float]) -> Entry:
        blocks_in_memory: list[Int16] = [np.zeros(0, dtype="<i2")]
        scales: list[Float] = [np.zeros(0, dtype=np.float32)]
        for data, scale in map(encode, blocks):
            with self._lock:
                self._room -= data.nbytes
                if self._room < 0:
                    raise WaveStoreError(
                        f"The decoded audio of these clips cannot be stored in {self.folder}, and takes over half of "
                        "the free memory. Give another folder by cache_dir= or AURIST_CACHE_DIR, a higher "
                        "AURIST_CACHE_LIMIT, or make room there."
                    )
            blocks_in_memory.append(data)
            scales.append(scale)
        whole = np.concatenate(blocks_in_memory)
        with self._lock:
            self.in_memory.append(whole)
            return Entry("", len(self.in_memory) - 1, len(whole), np.concatenate(scales))

    def _stop_storing(self, error: Exception) -> None:
        with self._lock:
            if self._refused is None:
                self._refused = error
                self._room = free_memory() // 2

    def _warn(self) -> None:
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            warnings.warn(
                f"The audio is decoded, but not stored: {self.folder} cannot be written ({self._refused}). It is kept "
                "in memory. Give another folder by cache_dir= or AURIST_CACHE_DIR, a higher AURIST_CACHE_LIMIT, or "
                "make room there.",
                stacklevel=2,
            )
