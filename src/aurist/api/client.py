"""A client of `aurist serve`: predictions and events from a model on this machine or another one."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import numpy as np
import pandas as pd

from aurist.api.inputs import is_samples, samples_of
from aurist.errors import ConfigError, DataError, ServerError

_CHUNK = 1 << 20
#: Seconds between two looks at a job.
_LOOK = 0.5
#: Recordings of one request.
_AT_A_TIME = 32
#: Statuses after which the same request may be sent again.
_AGAIN = (429, 503)

Recordings = str | Path | Sequence[str | Path]


class Client:
    """A model that another process serves: see `aurist serve`. It needs neither torch nor the model's files.

    Parameters
    ----------
    url
        The address that the server printed.
    token
        The secret of the server, if it has one.
    timeout
        Seconds to wait for an answer.
    patience
        Seconds to try again while the server is busy.

    Examples
    --------
    >>> import aurist
    >>> client = aurist.Client("http://127.0.0.1:8765")  # doctest: +SKIP
    >>> client.predict(["new/a.wav"]).tolist()  # doctest: +SKIP
    ['drone']
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8765",
        *,
        token: str | None = None,
        timeout: float = 300.0,
        patience: float = 60.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{url!r} is no address of a server. Give one such as http://127.0.0.1:8765.")
        self._parts, self._token, self._timeout, self._patience = parts, token, timeout, patience

    def model(self) -> dict[str, Any]:
        """Describe the model: ``name``, ``classes``, ``score``, ``window`` ...

        Raises
        ------
        ServerError
            If the server cannot be reached, or refuses.
        """
        answer: dict[str, Any] = self._ask("GET", "/v1/model")
        return answer

    def predict(
        self,
        data: Recordings | np.ndarray[Any, Any] | Sequence[np.ndarray[Any, Any]],
        *,
        sample_rate: int | None = None,
        precision: float | None = None,
        unknown: float | None = None,
    ) -> pd.Series[Any]:
        """Predict the label of each recording; the parameters are those of `aurist.Run.predict`.

        Returns
        -------
        pandas.Series
            The label of each recording, or a tuple of labels where there may be several; None for one that cannot be
            used.
        """
        answers, index = self._predict(data, sample_rate, {"precision": precision, "unknown": unknown})
        several = bool(self.model()["multilabel"])
        labels = [
            None if row["error"] else tuple(row["labels"]) if several else row["labels"][0] for row in answers
        ]
        return pd.Series(labels, index=index, name="label", dtype=object)

    def predict_proba(
        self,
        data: Recordings | np.ndarray[Any, Any] | Sequence[np.ndarray[Any, Any]],
        *,
        sample_rate: int | None = None,
    ) -> pd.DataFrame:
        """Predict the probability of each class, (n_recordings, n_classes); NaN for one that cannot be used."""
        answers, index = self._predict(data, sample_rate, {})
        return pd.DataFrame(
            [row["probabilities"] for row in answers],
            index=index,
            columns=self.model()["classes"],
            dtype=float,
        )

    def detect(
        self,
        recordings: Recordings,
        *,
        window: float | None = None,
        overlap: float | None = None,
        min_score: float | None = None,
        precision: float | None = None,
        labels: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Find events in long recordings, and wait for them; the parameters are those of `aurist.Run.detect`.

        Returns
        -------
        pandas.DataFrame
            ``path``, ``start``, ``end``, ``label``, ``score``. Recordings are named by the last part of their path.

        Raises
        ------
        ServerError
            If the server cannot be reached, or refuses, or the job failed.
        """
        job = self._ask("POST", "/v1/detect", {"window": window, "overlap": overlap}, _paths(recordings))
        address = f"/v1/detect/{job['id']}"
        while job["state"] in ("waiting", "running"):
            time.sleep(_LOOK)
            job = self._ask("GET", address)
        if job["state"] != "done":
            raise ServerError(f"The job {job['id']} is {job['state']}. {job['message']}", 200, job["state"])
        query = {"min_score": min_score, "precision": precision, "labels": labels}
        rows = self._ask("GET", f"{address}/events", query)["events"]
        self._ask("DELETE", address)
        return pd.DataFrame(rows, columns=["path", "start", "end", "label", "score"])

    def _predict(
        self, data: Any, sample_rate: int | None, query: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], pd.Index[Any]]:
        rows: list[dict[str, Any]] = []
        if is_samples(data):
            waves = samples_of(data, sample_rate)
            for wave in waves:
                raw = {**query, "rate": sample_rate, "format": "f32"}
                rows += self._ask("POST", "/v1/predict", raw, wave.astype("<f4").tobytes())["predictions"]
            return rows, pd.RangeIndex(len(waves))
        if sample_rate is not None:
            raise ConfigError("sample_rate= is for samples in memory. Leave it out for files.")
        paths = _paths(data)
        for first in range(0, len(paths), _AT_A_TIME):
            rows += self._ask("POST", "/v1/predict", query, paths[first : first + _AT_A_TIME])["predictions"]
        return rows, pd.Index([str(path) for path in paths], name="path", dtype=object)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: bytes | Sequence[Path] | None = None,
    ) -> Any:
        """Send a request, again while the server is busy, and return the JSON of the answer."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self._parts.path.rstrip('/')}{path}?{urlencode(given, doseq=True)}"
        until = time.monotonic() + self._patience
        while True:
            status, headers, text = self._send(method, target, body)
            if status not in _AGAIN or time.monotonic() >= until:
                break
            wait = headers.get("retry-after", "1")
            time.sleep(float(wait) if wait.isdecimal() else 1.0)
        if status >= 400:
            raise _error(status, text)
        return json.loads(text) if text else None

    def _send(
        self, method: str, target: str, body: bytes | Sequence[Path] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        content: bytes | Iterator[bytes] | None
        if body is None or isinstance(body, bytes):
            content = body
            headers["Content-Type"] = "application/octet-stream"
        else:
            form = _Form(body)
            content = iter(form)
            headers |= {"Content-Type": form.kind, "Content-Length": str(len(form))}
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout)
        try:
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            answer_headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, answer_headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(
                f"{self._parts.geturl()} cannot be reached ({error or type(error).__name__}). Is `aurist serve` "
                "running?"
            ) from error
        finally:
            connection.close()


class _Form:
    """Files as the body of a request, read from the disk while they are sent."""

    def __init__(self, paths: Sequence[Path]) -> None:
        boundary = secrets.token_hex(16)
        self.kind = f"multipart/form-data; boundary={boundary}"
        self._parts = [
            (
                f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{_plain(path.name)}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n".encode(),
                path,
            )
            for path in paths
        ]
        self._end = f"--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        sizes = (len(head) + path.stat().st_size + 2 for head, path in self._parts)
        return sum(sizes) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        for head, path in self._parts:
            yield head
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
            yield b"\r\n"
        yield self._end


def _plain(name: str) -> str:
    """Escape the characters of a file's name that would end it, as browsers do."""
    return "".join(quote(char) if char in '"\r\n' else char for char in name)


def _paths(data: Any) -> list[Path]:
    """List the recordings: paths, or those in a folder."""
    if isinstance(data, str | Path):
        path = Path(data)
        return sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
    paths = [Path(part) for part in data]
    if not paths:
        raise DataError("There is no recording. Give a path, or several.")
    return paths


def _error(status: int, text: bytes) -> ServerError:
    try:
        problem = json.loads(text)["error"]
        return ServerError(str(problem["message"]), status, str(problem["code"]))
    except (ValueError, KeyError, TypeError):
        return ServerError(f"The server answered with the status {status}.", status, "unknown")
