"""The page on the architecture against the folders."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "aurist"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def rooms() -> set[str]:
    return {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_page_lists_every_room_in_the_order_of_the_layers() -> None:
    listed = re.findall(r"^\| `(\w+)/` \|", PAGE, flags=re.M)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [name.removeprefix("aurist.") for layer in contracts[0]["layers"] for name in layer.split(" | ")]
    assert set(listed) == rooms()
    assert listed == [name for name in layers if name in rooms()]


def test_layers_name_every_module() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name.removeprefix("aurist.") for layer in contracts[0]["layers"] for name in layer.split(" | ")}
    files = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    assert layers == rooms() | files


def test_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", PAGE))
    assert named
    assert {name for name in named if not (SOURCE / name).exists()} == set()


def test_single_files_are_named() -> None:
    files = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {name for name in files if f"`{name}`" not in PAGE} == set()
