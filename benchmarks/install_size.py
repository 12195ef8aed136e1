"""Megabytes of the base installation by library, and what each extra adds, from the libraries of this environment.

python benchmarks/install_size.py
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
#: Libraries below this size are one row.
SMALL = 5.0


@cache
def megabytes(name: str) -> float:
    """Return the size of a library on the disk, bytecode included, in blocks of the file system."""
    files = (Path(str(file.locate())) for file in metadata.files(name) or ())
    return sum(path.stat().st_blocks * 512 for path in files if path.is_file()) / 1e6


def closure(requirements: list[str]) -> set[str]:
    """Return the installed libraries that these requirements bring, and all that those need."""
    names: set[str] = set()
    done: set[tuple[str, frozenset[str]]] = set()
    todo = [Requirement(text) for text in requirements]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if name == "aurist" or (name, frozenset(wanted.extras)) in done:
            continue
        done.add((name, frozenset(wanted.extras)))
        names.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            print(f"not installed here: {name}")
            names.discard(name)
            continue
        for text in needs:
            need = Requirement(text)
            extras = wanted.extras or {""}
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {*extras, ""}):
                todo.append(need)
    return names


def main() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    base = closure(project["dependencies"])
    sizes = sorted(((megabytes(name), name) for name in base), reverse=True)
    print("| library | MB |\n|---|---|")
    for size, name in sizes:
        if size >= SMALL:
            print(f"| {name} | {size:.0f} |")
    small = [size for size, _ in sizes if size < SMALL]
    print(f"| {len(small)} smaller ones | {sum(small):.0f} |")
    print(f"| **base** | **{sum(size for size, _ in sizes):.0f}** |\n")
    print("| extra | adds, MB | the largest |\n|---|---|---|")
    for extra, requirements in project["optional-dependencies"].items():
        if any(line.startswith("aurist[") for line in requirements) and extra != "pretrained":
            continue
        if extra == "pretrained":
            requirements = requirements + project["optional-dependencies"]["networks"]
        added = sorted(((megabytes(name), name) for name in closure(requirements) - base), reverse=True)
        largest = ", ".join(f"{name} {size:.0f}" for size, name in added[:4])
        print(f"| `{extra}` | {sum(size for size, _ in added):.0f} | {largest} |")


if __name__ == "__main__":
    main()
