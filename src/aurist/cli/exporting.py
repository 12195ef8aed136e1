"""`aurist export` and `aurist verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_json, say


def export(
    run: opt.RunFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")] = Path("model"),
    *,
    model: opt.Model = None,
    with_duplicates: Annotated[
        bool,
        typer.Option(
            "--with-duplicates",
            help="Include hashes of the training clips with their labels: a clip that comes again gets its label.",
        ),
    ] = False,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            help="Fit one model of each kind on all clips, in the place of one for each fold: smaller and faster. The "
            "score is that of the folds.",
        ),
    ] = False,
    example: Annotated[
        Path | None,
        typer.Option(help="A recording, or a table of features, as the example. Default: synthesise one."),
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the model, for its card.")] = "unknown",
    as_json: opt.Json = False,
) -> None:
    """Write a model folder to hand on: small, safe to open, without the training data.

    It holds plain numbers, neither pickles nor code, and needs neither PyTorch nor AutoGluon. All commands that predict
    take it in the place of a run. Models that cannot be exported are left out, with a message and a new score.

    Examples:

      aurist export run -o model

      aurist export run -o small --refit

      aurist export run -o model --model ExtraTrees --licence CC-BY-4.0
    """
    from aurist.export import ExportOptions, export_run
    from aurist.plan import ENSEMBLE
    from aurist.records import to_json
    from aurist.run import open_run

    options = ExportOptions(model or ENSEMBLE, with_duplicates, example, licence, refit)
    result = export_run(open_run(run), output, options)
    for name, why in result.left_out.items():
        say(f"left out: {name}, as {why}")
    if result.against_whole is not None:
        say(
            f"blended again without: {result.score} out of fold, {result.against_whole} against the run's ensemble"
        )
    if as_json:
        print_json(to_json(result) | {"folder": str(result.folder)})
        return
    say(f"written: {output} ({result.size / 1e6:.1f} MB; {', '.join(result.members)}; {result.score})")
    say(f"check it with: aurist verify {output}")


def verify(
    model: Annotated[Path, typer.Argument(help="Model folder, as `aurist export` makes it.")],
    as_json: opt.Json = False,
) -> None:
    """Check a model folder: that its files are those of the export, and that it answers its example as it did there.

    Example:

      aurist verify model
    """
    from aurist.export import verify_model
    from aurist.records import to_json

    result = verify_model(model)
    if as_json:
        print_json(to_json(result))
        return
    answer = (
        "no example to answer"
        if result.difference is None
        else f"example answered with a largest difference of {result.difference:.1g}, in {result.seconds:.2f} s"
    )
    say(f"{model}: {result.n_files} files are as they were exported; {answer}")
