"""Messages of the library name parameters; the command line names options."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import aurist
from aurist.cli.messages import in_options

SOURCE = Path(aurist.__file__).parent
OPTION = re.compile(r"(?<![\w-])--[a-z]|\(-o\)|with -o\b")
#: Files that write whole commands for people.
COMMANDS = {"tuning/target.py", "plan/steps.py", "embedders/catalogue.py", "embedders/stored.py",
            "models/onnx_networks/mnn_session.py"}  # fmt: skip


def messages_of(file: Path) -> list[str]:
    """The texts of a file, without its docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in docstrings]
    return [node.value for node in constants if isinstance(node.value, str)]


def test_messages_of_the_library_name_no_options() -> None:
    wrong = [
        f"{name}: {text}"
        for file in sorted(SOURCE.rglob("*.py"))
        if (name := file.relative_to(SOURCE).as_posix()) not in COMMANDS
        and not name.startswith(("cli/", "api/"))
        for text in messages_of(file)
        if OPTION.search(text) and "aurist " not in text
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Name it with label=.", "Name it with --label."),
        ('(group="names" uses them)', "(--group names uses them)"),
        ('label_from="{label}_{n}"', "--label-from '{label}_{n}'"),
        ("leave time_limit= and recipes= out", "leave --time-limit and --recipe out"),
        (
            'recipe_settings="training.epochs=20", or fraction=0.3 make room.',
            "--set training.epochs=20, or --fraction 0.3 make room.",
        ),
        ("Continue with allow_loss=True.", "Continue with --allow-loss."),
        ("say near_duplicates=False.", "say --no-near-duplicates."),
        ("another folder (output=)", "another folder (-o)"),
        ("use holdout=0, or", "use --holdout 0, or"),
        ("music/label=x.wav and my_path=3", "music/label=x.wav and my_path=3"),
        ("sep=; is a separator, x == y", "sep=; is a separator, x == y"),
    ],
)
def test_parameters_become_options(message: str, expected: str) -> None:
    assert in_options(message) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["fit", "x", "--refit"], "No such option: --refit. It is an option of aurist export."),
        (["predict", "--verdicts", "x"], "It is an option of aurist fit and aurist tune."),
        (["fit", "x", "--time-limi", "3m"], "Possible options: --time-limit"),
    ],
)
def test_an_option_of_another_command_names_it(words, expected, monkeypatch, capsys):
    from aurist import cli

    monkeypatch.setattr("sys.argv", ["aurist", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert expected in " ".join(capsys.readouterr().err.replace("│", " ").split())
