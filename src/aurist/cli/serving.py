"""`aurist serve`: a page for people and an interface for programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import say

LIMITS = "Limits"


def serve(
    run: opt.Trained,
    host: Annotated[
        str, typer.Option(help="The address to listen on. Others than those of this machine need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any free one.", min=0, max=65535)] = 8765,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that clients send. Default: $AURIST_TOKEN, or no token.", dir_okay=False
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="A further name of the server, such as that of a proxy in front of it. Repeatable."
        ),
    ] = None,
    detections: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder that `aurist predict` made, to judge on the page. Repeatable.", file_okay=False
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="mic, mic:NAME of a device, or a URL that the page may follow live, by ffmpeg. Repeatable."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder of jobs and verdicts. Default: in the cache folder, by the model.", file_okay=False
        ),
    ] = None,
    max_megabytes: Annotated[
        float, typer.Option(help="Largest request.", min=0.001, rich_help_panel=LIMITS)
    ] = 1024,
    max_seconds: Annotated[
        float, typer.Option(help="Longest recording.", min=0.1, rich_help_panel=LIMITS)
    ] = 4 * 3600,
    max_files: Annotated[
        int, typer.Option(help="Most recordings in a request.", min=1, rich_help_panel=LIMITS)
    ] = 200,
    max_waiting: Annotated[
        int,
        typer.Option(
            help="Most predictions that wait; further ones get the status 429.", min=1, rich_help_panel=LIMITS
        ),
    ] = 64,
    max_jobs: Annotated[
        int, typer.Option(help="Most detection jobs that wait.", min=1, rich_help_panel=LIMITS)
    ] = 20,
    request_seconds: Annotated[
        float,
        typer.Option(
            help="Time of a request to upload, to decode and to predict.", min=1, rich_help_panel=LIMITS
        ),
    ] = 120,
    keep_days: Annotated[
        float,
        typer.Option(
            help="Finished jobs are deleted after these days; those with verdicts stay.",
            min=0.01,
            rich_help_panel=LIMITS,
        ),
    ] = 90,
    keep_gigabytes: Annotated[
        float,
        typer.Option(
            help="Beyond this space the oldest finished jobs are deleted; those with verdicts stay.",
            min=0.001,
            rich_help_panel=LIMITS,
        ),
    ] = 50,
    jobs: opt.Jobs = 0,
    trust: opt.Trust = False,
) -> None:
    """Serve a model: a page to see and hear what is in recordings, and an interface for programs.

    It needs no other machine, and none but this one reaches it, unless --host says otherwise. Stop it with Ctrl-C: what
    runs is finished, and detection jobs go on at the next start.

    Examples:

      aurist serve run

      aurist serve model --port 8000 --detections detections
    """
    from aurist.errors import ConfigError
    from aurist.extras import need_extra
    from aurist.run.remote import open_trained

    need_extra("serve", "A server")
    from aurist.serve.options import Limits, ServeOptions
    from aurist.serve.running import serve as serve_model
    from aurist.serve.stream import Source

    token = os.environ.get("AURIST_TOKEN") or None
    if token_file is not None:
        token = token_file.read_text(encoding="utf-8").strip()
        if not token:
            raise ConfigError(f"{token_file} holds no token.")
    limits = Limits(
        max_megabytes,
        max_seconds,
        max_files,
        max_waiting,
        max_jobs,
        request_seconds,
        keep_days=keep_days,
        keep_gigabytes=keep_gigabytes,
    )
    for name in source or ():
        Source(name)  # refuses what cannot be opened
    options = ServeOptions(
        host,
        port,
        token,
        tuple(allow_host or ()),
        state,
        tuple(detections or ()),
        tuple(source or ()),
        limits,
        jobs,
    )
    files = open_trained(run)
    serve_model(
        files, options, lambda address: say(f"serving {files.folder} at {address} (stop with Ctrl-C)")
    )
