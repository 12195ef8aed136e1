"""Every command and option in the README and the pages of docs/ exists, and every command line parses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from aurist.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
GROUP = get_command(app)
COMMANDS = GROUP.commands  # type: ignore[attr-defined]


def options_of(name: str) -> set[str]:
    """All spellings of the options of a command."""
    opts = {"--help", "-h"}
    for param in COMMANDS[name].params:
        opts |= {*param.opts, *param.secondary_opts} if param.param_type_name == "option" else set()
    return opts


ALL_OPTIONS = {option for name in COMMANDS for option in options_of(name)} | {"--version"}
#: Options of the benchmarks, which their page names.
BENCHMARKS = {
    option
    for file in (ROOT / "benchmarks").glob("*.py")
    for option in re.findall(r'"(--[a-z][a-z-]*)"', file.read_text(encoding="utf-8"))
}


def command_lines(text: str) -> list[str]:
    """The lines of shell blocks that call aurist."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("aurist ")]


def code_spans(text: str) -> list[str]:
    """The words between single backticks, outside blocks."""
    return re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def problems_of(text: str, others: frozenset[str] = frozenset()) -> list[str]:
    """Name command lines that do not parse, and commands and options that do not exist."""
    problems = []
    for line in command_lines(text):
        words = shlex.split(line, comments=True)[1:]
        arguments = words[1 : words.index(">") if ">" in words else None]
        try:
            COMMANDS[words[0]].make_context(words[0], arguments)
        except Exception as error:  # of click, or a command that does not exist
            problems.append(f"{line}: {getattr(error, 'message', error)}")
    for span in code_spans(text):
        words = span.split()
        options = [word.rstrip(",.;") for word in words if re.match(r"--[a-z]", word)]
        options_known = ALL_OPTIONS | others
        if words[0] == "aurist" and len(words) > 1 and re.fullmatch("[a-z]+", words[1]):
            if words[1] not in COMMANDS:
                problems.append(f"`{span}`: no command {words[1]}")
                continue
            options_known = options_of(words[1])
        elif not words[0].startswith("--"):
            continue
        missing = [option for option in options if option.partition("=")[0] not in options_known]
        if missing:
            problems.append(f"`{span}`: no option {', '.join(missing)}")
    return problems


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page: Path) -> None:
    others = frozenset(BENCHMARKS if page.parent.name == "benchmarks" else ())
    problems = problems_of(page.read_text(encoding="utf-8"), others)
    assert not problems, "\n".join(problems)


def test_old_options_are_noticed() -> None:
    block = "```sh\naurist fit music/ --subset 0.1 -o run\naurist learn x\n```"
    text = f"{block}\n`--unlisted beside`, `aurist clips --read`"
    assert len(problems_of(text)) == 4


def test_examples_of_the_help_parse() -> None:
    for name, command in COMMANDS.items():
        lines = [
            line.strip() for line in (command.help or "").splitlines() if line.strip().startswith("aurist ")
        ]
        assert lines, name
        assert not problems_of("```sh\n" + "\n".join(lines) + "\n```"), name
