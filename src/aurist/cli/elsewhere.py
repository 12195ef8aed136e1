"""A command that does not have an option names the commands that have it."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """A command of aurist."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            # typer does not export click's NoSuchOption, and brings a click of its own
            option = getattr(error, "option_name", "")
            owners = [] if option in _options(self) else _owners(ctx, option)
            if owners:
                error.possibilities = None  # type: ignore[attr-defined]
                error.message += f". It is an option of {' and '.join(owners)}."  # type: ignore[attr-defined]
            raise


def _owners(ctx: Any, option: str) -> list[str]:
    commands = ctx.parent.command.commands if ctx.parent else {}
    return [f"aurist {name}" for name, command in commands.items() if option in _options(command)]


def _options(command: Any) -> list[str]:
    return [text for param in command.params for text in (*param.opts, *param.secondary_opts)]
