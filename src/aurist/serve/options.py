"""Settings of a server: its address, its limits, and where it keeps its jobs."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from aurist.errors import ConfigError

LOCAL = ("127.0.0.1", "localhost", "::1")
#: Fewer characters could be guessed.
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Limits:
    """The most that a client may use.

    Parameters
    ----------
    megabytes
        Size of one request.
    seconds
        Length of one recording.
    files
        Recordings of one request.
    waiting
        Requests for predictions that wait or are computed at the same time.
    jobs
        Detection jobs that wait or run at the same time.
    request_seconds
        Time to upload, to decode and to predict, each.
    decoder_megabytes
        Memory of a process that decodes uploads.
    keep_days, keep_gigabytes
        Age and space of finished jobs and ended live sources: older ones, and the oldest, are deleted, but for jobs
        with verdicts.

    Raises
    ------
    ConfigError
        If one is not above 0.
    """

    megabytes: float = 1024.0
    seconds: float = 4 * 3600.0
    files: int = 200
    waiting: int = 64
    jobs: int = 20
    request_seconds: float = 120.0
    decoder_megabytes: int = 2048
    keep_days: float = 90.0
    keep_gigabytes: float = 50.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float("inf"):
                raise ConfigError(f"{name} is {value:g}, but must be above 0.")

    @property
    def request_bytes(self) -> int:
        """The size of one request in bytes."""
        return round(self.megabytes * 1_000_000)


@dataclass(frozen=True)
class ServeOptions:
    """Settings of a server.

    Parameters
    ----------
    host, port
        The address; port 0: any free one.
    token
        The secret that clients send; None: anybody who reaches the address is let in, which only an address of this
        machine allows.
    hosts
        Further names by which clients may call the server.
    state
        Folder of jobs and verdicts; None: in the cache folder, by the model.
    reviews
        Folders of detections, to judge on the page.
    sources
        Microphones and streams of this machine that the page may follow live, as of `aurist listen`.
    limits
        The most that a client may use.
    jobs
        Cores of the models; 0: as many as the run was fitted with.

    Raises
    ------
    ConfigError
        If other machines could reach the server without a token, or the token is short.

    Examples
    --------
    >>> ServeOptions(host="0.0.0.0")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aurist.errors.ConfigError: Other machines reach 0.0.0.0, so that clients need a token. Put ...
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    hosts: tuple[str, ...] = ()
    state: Path | None = None
    reviews: tuple[Path, ...] = ()
    sources: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    jobs: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port is {self.port}, but must be from 0 to 65535.")
        if self.token is None and not is_local(self.host):
            raise ConfigError(
                f"Other machines reach {self.host}, so that clients need a token. Put one of {SHORTEST_TOKEN} or more "
                "characters into the environment variable AURIST_TOKEN, or into a file, and name it with token_file=. "
                'Make one with: python -c "import secrets; print(secrets.token_urlsafe())"'
            )
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise ConfigError(
                f"The token has {len(self.token)} characters, but needs {SHORTEST_TOKEN} or more."
            )


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches an address.

    Examples
    --------
    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0"), is_local("example.org")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in LOCAL
