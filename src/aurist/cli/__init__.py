"""The command line: parses, calls the API, prints. The only place that exits."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from aurist.cli import apply, data, evaluating, fitting, recipes, review, show, tuning

app = typer.Typer(
    name="aurist",
    help="Learn to recognise sounds, and say honestly how well.\n\n"
    "From a folder of recordings with labels, or a table of features: look at the data (check), "
    "learn (fit), see how good it is (leaderboard, evaluate), and use it (predict).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (data, fitting, show, apply, evaluating, review, recipes, tuning):
    _module.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
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
    """What holds for every command."""


def main() -> None:
    """Entry point: 0 done, 1 the data or the settings are at fault, 2 the command line is."""
    from aurist.errors import AuristError, FullDiskError
    from aurist.files import told_of_full_disk

    # before any library with OpenMP is loaded; aurist.models.base says why
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        with told_of_full_disk():
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
    """What to say where something was not foreseen: bad input has errors of its own, with the next step."""
    import tempfile
    import traceback

    said = " ".join(str(error).split())[:200]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="aurist-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write("".join(traceback.format_exception(error)))
        where = f"The traceback is in {file.name}: please report it, with the command."
    except OSError:
        where = (
            "With AURIST_DEBUG=1 the same command shows the traceback: please report it, with the command."
        )
    return f"this is a bug ({type(error).__name__}: {said}). {where}"


def _fail(message: str) -> None:
    from aurist.cli.printing import say

    say(f"aurist: {message}")
    sys.exit(1)
