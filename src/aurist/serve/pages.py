"""The page for people: its files, and the form that takes the token."""

from __future__ import annotations

from importlib.resources import files as package_files
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from aurist.serve.context import server_of
from aurist.serve.guard import COOKIE, is_token, session_of
from aurist.serve.refusals import RefusedError

router = APIRouter(include_in_schema=False)

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
#: All files of the page; a name of a request is only looked up in it.
_FILES = {path.name: path for path in (package_files("aurist.serve") / "page").iterdir()}


@router.get("/")
def page() -> Response:
    """Give the page."""
    return _file("index.html")


@router.get("/page/{name}")
def part(name: str) -> Response:
    """Give a file of the page."""
    return _file(name)


@router.get("/login")
def login() -> Response:
    """Give the form that takes the token."""
    return _file("login.html")


@router.post("/login")
def enter(request: Request, token: Annotated[str, Form()]) -> Response:
    """Let a browser in: its cookie takes the place of the token."""
    right = server_of(request).options.token
    if right is None:
        return RedirectResponse("/", 303)
    if not is_token(token.strip(), right):
        return RedirectResponse("/login?wrong", 303)
    response = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, session_of(right), httponly=True, samesite="strict", secure=secure)
    return response


def _file(name: str) -> Response:
    path = _FILES.get(name)
    if path is None:
        raise RefusedError(404, "not_found", "There is no such page.")
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(
        path.read_bytes(), media_type=f"{kind}; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )
