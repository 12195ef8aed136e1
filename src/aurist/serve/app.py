"""The application: all routes, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from aurist import __version__
from aurist.errors import AuristError, FullDiskError
from aurist.files import full_disk_cause
from aurist.progress import logger
from aurist.run import ModelFiles
from aurist.serve import (
    check_routes,
    data_routes,
    detecting,
    hearing,
    improve_routes,
    live_routes,
    pages,
    predicting,
    review_routes,
    watching,
)
from aurist.serve.context import Server, state_folder
from aurist.serve.counters import Counters
from aurist.serve.guard import Guard
from aurist.serve.options import ServeOptions
from aurist.serve.refusals import NO_ROOM, RefusedError


def create_app(files: ModelFiles, options: ServeOptions) -> FastAPI:
    """Make the application of a model.

    Parameters
    ----------
    files
        Of a run, or of a model folder.
    options
        Of the server.
    """
    server = Server(files, options, state_folder(files, options))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        server.start()
        yield
        server.close()

    # the usual pages of documentation fetch scripts from other machines
    app = FastAPI(
        title="aurist",
        version=__version__,
        description="Labels of sounds, and events in long recordings.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.server = server
    for module in (
        watching,
        predicting,
        detecting,
        hearing,
        review_routes,
        improve_routes,
        data_routes,
        check_routes,
        live_routes,
        pages,
    ):
        app.include_router(module.router)
    _handle_errors(app, server.counters)
    app.add_middleware(Guard, options=options, counters=server.counters)
    return app


def _handle_errors(app: FastAPI, counters: Counters) -> None:
    """Answer all errors in one form, with a sentence for people."""

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        counters.add("aurist_refused_total", reason=error.code)
        return JSONResponse(error.body(), error.status, error.headers())

    @app.exception_handler(AuristError)
    async def known(_: Request, error: AuristError) -> Response:
        if isinstance(error, FullDiskError):
            logger.error(str(error))
            return await refused(_, RefusedError(507, "full_disk", NO_ROOM))
        return await refused(_, RefusedError(422, "unusable", str(error)))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        lines = [f"{'.'.join(map(str, part['loc'][1:]))}: {part['msg']}" for part in error.errors()]
        return await refused(_, RefusedError(422, "invalid", "\n".join(lines)))

    @app.exception_handler(HTTPException)
    async def plain(_: Request, error: HTTPException) -> Response:
        names = {400: "malformed", 404: "not_found", 405: "not_allowed"}
        refusal = RefusedError(error.status_code, names.get(error.status_code, "refused"), str(error.detail))
        return JSONResponse(refusal.body(), refusal.status, {**(error.headers or {})})

    @app.exception_handler(OSError)
    async def full_disk(_: Request, error: OSError) -> Response:
        if full_disk_cause(error) is None:
            raise error
        return await known(_, FullDiskError(str(error)))

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> Response:
        logger.error(f"this is a bug ({type(error).__name__}: {error})")
        message = f"This is a bug of the server ({type(error).__name__}). Its log has more."
        return JSONResponse(RefusedError(500, "bug", message).body(), 500)
