"""Run a server until it is stopped."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn

from aurist.errors import ConfigError
from aurist.run import ModelFiles
from aurist.serve.app import create_app
from aurist.serve.options import ServeOptions

#: Seconds that requests have to end when the server is stopped.
_LAST_SECONDS = 30
#: Seconds after which a thread of Python gives way to another one that waits.
_SWITCH = 0.001


class _Uvicorn(uvicorn.Server):
    """Tells when requests are served, and tells the application at once that it is stopped: endless answers end."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None], stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._started, self._stop = started, stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stop()
        super().handle_exit(sig, frame)


def serve(files: ModelFiles, options: ServeOptions, started: Callable[[str], None]) -> None:
    """Serve a model until the process is told to end; what runs then is finished.

    Parameters
    ----------
    files
        Of a run, or of a model folder.
    options
        Of the server.
    started
        Called with the address when requests are served.

    Raises
    ------
    ConfigError
        If the address is in use, or does not belong to this machine.
    """
    # while a batch is predicted, each hand-over between a decoder and the requests that wait takes up to so long
    sys.setswitchinterval(_SWITCH)
    app = create_app(files, options)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((options.host, options.port))
        except OSError as error:
            raise ConfigError(
                f"The server cannot listen on {options.host}, port {options.port} ({error.strerror}). Give another "
                "port= or host=; port 0 takes any free one."
            ) from error
        host = f"[{options.host}]" if family == socket.AF_INET6 else options.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_LAST_SECONDS,
            server_header=False,
            ws="none",
        )
        server = _Uvicorn(config, lambda: started(address), app.state.server.stopping.set)
        threading.Thread(target=app.state.server.warm, name="warm", daemon=True).start()
        # uvicorn repeats the signals at its end, but being stopped is how a server ends
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGTERM, before)
