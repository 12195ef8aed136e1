"""The door of the server: hosts, origins, tokens and sizes of requests, and the headers of every answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from aurist.serve.counters import Counters
from aurist.serve.options import LOCAL, ServeOptions, is_local
from aurist.serve.refusals import RefusedError, too_large

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

COOKIE = "aurist_session"
#: Paths that need no token: monitors ask whether the server lives, and the page that takes the token.
_OPEN = ("/health", "/ready", "/login", "/page/login.css", "/page/login.js")
#: Seconds without a byte after which an upload is given up.
_STALLED = 20.0
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}


class Guard:
    """Checks each request before the application sees it.

    Parameters
    ----------
    app
        The application.
    options
        Of the server.
    counters
        Count requests, refusals and durations.
    """

    def __init__(self, app: App, options: ServeOptions, counters: Counters) -> None:
        self._app, self._options, self._counters = app, options, counters

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        try:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            self._check(scope, headers)
            body = _LimitedBody(receive, headers, self._options)
            await self._app(scope, body, answer)
        except RefusedError as refusal:
            self._counters.add("aurist_refused_total", reason=refusal.code)
            await _refuse(refusal, scope, answer)
        finally:
            # the route, not the path: paths hold ids, and there are no ends of them
            route = getattr(scope.get("route"), "path", "other")
            self._counters.add("aurist_requests_total", route=route, status=str(status))
            self._counters.seconds(route, time.monotonic() - began)

    def _check(self, scope: Message, headers: dict[str, str]) -> None:
        options = self._options
        host = headers.get("host", "")
        if not allowed_host(host, options):
            raise RefusedError(
                421,
                "wrong_host",
                "The server has another name. Use the address that it printed, or: aurist serve --allow-host NAME.",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise RefusedError(403, "wrong_origin", "Pages of other sites may not use this server.")
        if (
            options.token is not None
            and scope["path"] not in _OPEN
            and not _has_token(headers, options.token)
        ):
            raise RefusedError(401, "no_token", "Send the token of the server: Authorization: Bearer TOKEN.")


class _LimitedBody:
    """The body of a request, which may neither be too large nor take too long."""

    def __init__(self, receive: Receive, headers: dict[str, str], options: ServeOptions) -> None:
        self._receive, self._megabytes = receive, options.limits.megabytes
        self._left = options.limits.request_bytes
        self._until = time.monotonic() + options.limits.request_seconds
        self._ended = False
        stated = headers.get("content-length", "0")
        if not stated.isdecimal() or int(stated) > self._left:
            raise too_large(self._megabytes)

    async def __call__(self) -> Message:
        if self._ended:  # what comes now is the end of the connection, at any time
            return await self._receive()
        seconds = min(_STALLED, self._until - time.monotonic())
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                message = await self._receive()
        except TimeoutError:
            raise RefusedError(
                408, "too_slow", "The upload took too long. Try again, with less at a time."
            ) from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large(self._megabytes)
        self._ended = not message.get("more_body", False)
        return message


async def _refuse(refusal: RefusedError, scope: Message, send: Send) -> None:
    """Answer with JSON, or send a person without a token to the page that takes it."""
    import json

    headers = {**refusal.headers(), "content-type": "application/json", "connection": "close"}
    status, body = refusal.status, json.dumps(refusal.body()).encode()
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
        if scope["path"] == "/":
            status, body, headers = 303, b"", {"location": "/login"}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def allowed_host(header: str, options: ServeOptions) -> bool:
    """Tell whether the header Host names this server: other sites may have pointed their name to its address.

    Examples
    --------
    >>> options = ServeOptions()
    >>> [allowed_host(host, options) for host in ("localhost:8765", "[::1]:8765", "evil.example:8765", "")]
    [True, True, False, False]
    """
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if name in (*options.hosts, options.host):
        return True
    if is_local(options.host):
        return name in LOCAL
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True  # an address is no name that could be pointed elsewhere


def session_of(token: str) -> str:
    """Derive the content of the cookie from the token, so that a cookie does not tell the token."""
    return hmac.new(token.encode(), b"aurist session", hashlib.sha256).hexdigest()


def is_token(given: str, token: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), token.encode())


def _has_token(headers: dict[str, str], token: str) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return is_token(given.strip(), token)
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and is_token(cookie.value, session_of(token))
