"""`aurist embedders`, and licences that are accepted on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli.printing import paragraph, print_json, print_table, say, show

if TYPE_CHECKING:
    from aurist.embedders import Available


def embedders(
    name: Annotated[
        str | None, typer.Argument(help="Embedder to show and try: a name, or its TOML file.")
    ] = None,
    fuse: Annotated[
        Path | None,
        typer.Option(
            help="Write the embedder as one ONNX file from sound to vector, its front end inside, with its TOML file."
        ),
    ] = None,
    sound: Annotated[
        Path | None, typer.Option(help="Recording to embed; --vector compares the result.")
    ] = None,
    vector: Annotated[
        Path | None,
        typer.Option(help="The right vector of the recording, a .npy file, from the network's own program."),
    ] = None,
    classify: Annotated[
        Path | None,
        typer.Option(help="Recording to score with the classes that the network itself has."),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", help="Classes to print, for --classify.", min=1)
    ] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list, or all scores of --classify, as JSON.")
    ] = False,
) -> None:
    """List the pretrained networks that turn sound into vectors, or try one.

    An embedder is an .onnx or .tflite file with a small TOML file beside it. `aurist fit` uses those of this machine.

    Examples:

      aurist embedders

      aurist embedders yamnet

      aurist embedders yamnet --classify dog.wav

      aurist embedders mine.toml --sound dog.wav --vector dog.npy

      aurist embedders mine.toml --fuse mine-sound.onnx
    """
    from aurist.embedders import find_embedder, list_embedders
    from aurist.embedders.catalogue import user_folder

    if name is None:
        _print_list(list_embedders(), user_folder(), as_json=as_json)
        return
    available = find_embedder(name)
    if fuse is not None:
        _fuse(available, fuse)
        return
    if classify is not None:
        _classify(available, classify, count, as_json=as_json)
        return
    _try(available, sound, vector)


def _print_list(every: Sequence[Available], folder: Path, *, as_json: bool) -> None:
    import pandas as pd

    from aurist.embedders import is_accepted
    from aurist.records import to_json

    if as_json:
        states = {
            a.spec.name: {"ready": a.network is not None, "accepted": is_accepted(a.spec)} for a in every
        }
        print_json({a.spec.name: to_json(a.spec) | states[a.spec.name] for a in every})
        return
    rows = [
        {
            "name": available.spec.name,
            "state": _state(available, accepted=is_accepted(available.spec)),
            "kHz": f"{available.spec.sample_rate / 1000:g}",
            "window": f"{available.spec.seconds:g} s",
            "vector": available.spec.size or "",
            "classifies": "yes" if available.spec.scores else "",
            "licence": available.spec.licence,
        }
        for available in every
    ]
    print_table(pd.DataFrame(rows))
    print()
    for available in every:
        if available.network is None:
            paragraph(f"{available.spec.name}: {available.advice}")
    paragraph(
        f"Your own: put NAME.onnx or NAME.tflite and NAME.toml into {folder}, or give --embed the TOML file."
    )


def _state(available: Available, *, accepted: bool) -> str:
    if available.network is None:
        return "not here"
    return "ready" if accepted else "licence to accept"


def _try(available: Available, sound: Path | None, vector: Path | None) -> None:
    """Show an embedder, run it, and compare it with the right vector."""
    import numpy as np

    from aurist.embedders import load_embedder
    from aurist.embedders.trial import compare, trial

    show(available.described.read_text(encoding="utf-8"), end="")
    print()
    embedder = load_embedder(available.spec, available.path())
    result = trial(embedder, sound)
    say(
        f"{available.path()}: vectors of {embedder.size} numbers, {1000 * result.seconds:.1f} ms for a window of "
        f"{available.spec.seconds:g} s on one core"
    )
    if result.vector is not None and vector is None:
        say(f"{sound}: mean {np.mean(result.vector):.4g}, norm {np.linalg.norm(result.vector):.4g}")
    if vector is not None:
        say(compare(embedder, sound, vector))


def _classify(available: Available, sound: Path, count: int, *, as_json: bool) -> None:
    """Print what the network itself says of a recording."""
    from aurist.embedders import check_licence
    from aurist.embedders.classify import classify

    check_licence(available.spec)
    table = classify(available, sound)
    if as_json:
        print_json(table.to_dict("records"))
        return
    print_table(
        table.head(count),
        title=f"{sound}: highest of {len(table):,} classes of {available.spec.name}",
        digits=3,
    )
    print()
    paragraph(
        "These are the scores of the network itself: the highest of any window, and where. They are no model of yours, "
        "and nobody measured them on your recordings."
    )


def _fuse(available: Available, output: Path) -> None:
    from aurist.embedders.fuse import fuse
    from aurist.folders import check_output

    check_output(output)
    described = fuse(available, output)
    say(f"written: {output} and {described}; use it with: aurist fit DATA --embed {described}")


def accept_licences(names: Sequence[str], used: Sequence[str]) -> None:
    """Accept licences by name; on a terminal, ask for those of embedders that are used and need it."""
    from pathlib import Path as PathOf

    from aurist.embedders import accept_licence, find_embedder, is_accepted

    for name in names:
        spec = find_embedder(name).spec
        accept_licence(spec)
        say(f"accepted: {spec.name}, {spec.licence or 'no stated licence'}")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    for name in used:
        if PathOf(name).suffix == ".toml":
            continue
        spec = find_embedder(name).spec
        question = f"The licence of {spec.name} is {spec.licence}: it forbids commercial use. Accept it?"
        if not is_accepted(spec) and typer.confirm(question, err=True):
            accept_licence(spec)
