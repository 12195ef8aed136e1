"""The command line: parses, calls the API, prints. The only place that exits."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from aurist.cli import (
    apply,
    data,
    embedding,
    evaluating,
    exporting,
    fitting,
    listening,
    merging,
    recipes,
    review,
    searching,
    serving,
    sharding,
    show,
    summarising,
    tuning,
)
from aurist.cli.elsewhere import Command

app = typer.Typer(
    name="aurist",
    help="Learn to recognise sounds, with honest scores.\n\n"
    "Start with a folder of labelled recordings or a table of features: check the data (check), learn (fit), "
    "see the scores (leaderboard, report), and label new recordings (predict).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
#: The commands, in the panels of the help.
COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Data": (data.check, data.features, sharding.shards, data.cache),
    "Learning": (
        fitting.fit,
        fitting.resume,
        tuning.tune,
        recipes.recipes,
        recipes.augment,
        embedding.embedders,
    ),
    "Results": (show.leaderboard, evaluating.evaluate, show.importance, show.prune, show.report),
    "New recordings": (
        apply.predict,
        merging.merge,
        listening.listen,
        summarising.summary,
        review.clips,
        review.verdicts,
    ),
    "Searching": (searching.index, searching.search, searching.map),
    "Handing on": (exporting.export, exporting.verify, exporting.push, serving.serve),
    "Demonstration": (fitting.demo,),
}


def _help_text(docstring: str) -> str:
    """Join the lines of each paragraph, so that a terminal breaks them where it needs to."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(text.splitlines()) if text[0] != " " else text for text in paragraphs)


for _panel, _commands in COMMANDS.items():
    for _command in _commands:
        _text = _help_text(_command.__doc__ or "")
        app.command(cls=Command, rich_help_panel=_panel, help=_text)(_command)


def _print_version(requested: bool) -> None:
    if requested:
        from aurist import __version__

        print(f"aurist {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit."),
    ] = False,
) -> None:
    """Options of every command."""
    from aurist.cli.printing import show_log

    show_log()


def main() -> None:
    """Entry point: 0 done, 1 the data or the settings are at fault, 2 the command line is."""
    from aurist.errors import AuristError, FullDiskError
    from aurist.files import full_disk_error
    from aurist.system import interrupts_kept

    # before any library with OpenMP is loaded; aurist.models.base says why
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        with interrupts_kept(), full_disk_error():
            app()
    except FullDiskError as error:
        _fail(f"{error} {error.advice}")
    except AuristError as error:
        _fail(str(error))
    except MemoryError:
        _fail(
            "Memory ran out. Use fewer cores (--jobs 1), give less data at a time, or free memory, and give the "
            "command again."
        )
    except (PermissionError, IsADirectoryError, NotADirectoryError, FileNotFoundError) as error:
        _fail(f"{error.strerror}: {error.filename}")
    except OSError as error:
        _fail(f"{error.strerror or error} {error.filename or ''}".strip())
    except KeyboardInterrupt:
        print("aurist: interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("AURIST_DEBUG"):
            raise
        _fail(_bug(error))


def _bug(error: Exception) -> str:
    """Say that an unexpected error is a bug; bad input has errors of its own."""
    import tempfile
    import traceback

    summary = " ".join(str(error).split())[:200]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="aurist-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write("".join(traceback.format_exception(error)))
        advice = f"The traceback is in {file.name}: please report it, with the command."
    except OSError:
        advice = (
            "With AURIST_DEBUG=1 the same command shows the traceback: please report it, with the command."
        )
    return f"this is a bug ({type(error).__name__}: {summary}). {advice}"


def _fail(message: str) -> None:
    from aurist.cli.printing import say

    say(f"aurist: {message}")
    sys.exit(1)
