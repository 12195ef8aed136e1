"""Answers to requests that cannot be served: a status, a code for programs, a message for people."""

from __future__ import annotations

from typing import Any

from aurist.errors import AuristError

#: What people are told when the disk is full; the log names the file.
NO_ROOM = "There is no room on the server's disk."


class RefusedError(AuristError):
    """A request that is not served.

    Parameters
    ----------
    status
        Of HTTP, such as 413.
    code
        A word for programs.
    message
        Sentences for people.
    retry_after
        Seconds after which the client may try again; None: it need not.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after

    def body(self) -> dict[str, Any]:
        """Give the JSON of the answer."""
        return {"error": {"code": self.code, "message": str(self)}}

    def headers(self) -> dict[str, str]:
        """Give the headers of the answer."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def too_large(megabytes: float) -> RefusedError:
    """Refuse a body that exceeds the limit."""
    return RefusedError(
        413,
        "too_large",
        f"The request is larger than {megabytes:g} MB. Send fewer or shorter recordings, or start the server "
        "again: aurist serve --max-megabytes, with more.",
    )


def busy(message: str, seconds: int) -> RefusedError:
    """Refuse a request because too many are waiting."""
    return RefusedError(429, "busy", message, retry_after=seconds)
