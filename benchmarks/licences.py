"""List the licences of all dependencies as their metadata state them: the base, and what each extra adds.

python benchmarks/licences.py > licences.txt   # the tables of docs/licences.md; missing packages are left out
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

import _common

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
#: Extras that are none of their own.
OTHERS = ("all", "search", "dev", "docs")


def needed(requirements: Iterable[str]) -> dict[str, metadata.Distribution]:
    """Return the installed distributions that these requirements need, and all that those need, by name."""
    todo = [Requirement(text) for text in requirements]
    found: dict[tuple[str, frozenset[str]], metadata.Distribution] = {}
    while todo:
        one = todo.pop()
        if one.name == "aurist":
            todo += [Requirement(text) for e in one.extras for text in PROJECT["optional-dependencies"][e]]
            continue
        key = (re.sub(r"[-_.]+", "-", one.name).lower(), frozenset(one.extras))
        if key in found:
            continue
        try:
            found[key] = metadata.distribution(one.name)
        except metadata.PackageNotFoundError:
            continue
        for text in found[key].requires or []:
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in {"", *one.extras}):
                todo.append(inner)
    return {name: distribution for (name, _), distribution in found.items()}


def licence(distribution: metadata.Distribution) -> str:
    """Return the licence by its expression, else by its classifiers, else by the first line of its text."""
    fields = distribution.metadata
    if fields.get("License-Expression"):
        return str(fields["License-Expression"])
    classes = [
        text.split("::")[-1].strip() for text in fields.get_all("Classifier") or [] if "License ::" in text
    ]
    named = ", ".join(text for text in classes if text != "OSI Approved")
    text = (fields.get("License") or "").strip().splitlines()
    return named or (text[0][:60] if text else "not in its metadata")


def main() -> None:
    listed: set[str] = set()
    groups = {"base": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    for name, requirements in groups.items():
        if name in OTHERS:
            continue
        new = {key: d for key, d in sorted(needed(requirements).items()) if key not in listed}
        listed |= set(new)
        if new:
            rows = [[d.metadata["Name"], d.version, licence(d)] for d in new.values()]
            title = "The base" if name == "base" else f"`{name}`, more than the above"
            print(f"## {title}\n\n{_common.table(['package', 'version', 'licence'], rows)}\n")


if __name__ == "__main__":
    main()
