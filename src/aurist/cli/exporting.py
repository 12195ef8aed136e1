"""`aurist export` and `aurist verify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_json, say
from aurist.errors import ConfigError, plural

if TYPE_CHECKING:
    from aurist.export import ExportOptions
    from aurist.export.onnx_file import OnnxCheck, OnnxExport


def export(
    run: opt.RunFolder,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Model folder to make. Default: model, unless --onnx or --web is given."
        ),
    ] = None,
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
    onnx: Annotated[
        Path | None,
        typer.Option(
            help="One ONNX file to write, from waveform to probabilities. For rows that are networks."
        ),
    ] = None,
    web: Annotated[
        Path | None,
        typer.Option(help="Folder to make: a static page that recognises sounds in the visitor's browser."),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            "--onnxruntime-web", help="For --web: the npm package. Default: node_modules/onnxruntime-web."
        ),
    ] = None,
    distill: Annotated[
        bool,
        typer.Option(
            "--distill", help="First train a network that learns what the ensemble predicts, and export that."
        ),
    ] = False,
    time_limit: Annotated[
        str | None, typer.Option(help="For --distill: wall time of the training. Default: that of the fit.")
    ] = None,
    change: opt.Change = None,
    as_json: opt.Json = False,
) -> None:
    """Write a model folder to hand on: small, safe to open, without the training data.

    It holds plain numbers, neither pickles nor code, and needs neither PyTorch nor AutoGluon. All commands that predict
    take it in the place of a run. Models that cannot be exported are left out, with a message and a new score.

    Examples:

      aurist export run -o model

      aurist export run -o small --refit

      aurist export run -o model --model ExtraTrees --licence CC-BY-4.0

      aurist export run --onnx frogs.onnx --model mel-cnn

      aurist export run --web page --model mel-cnn

      aurist export run --distill --onnx frogs.onnx
    """
    from aurist.export import ExportOptions
    from aurist.plan import ENSEMBLE

    to_folder = output is not None or (onnx is None and web is None)
    _refuse_without_effect("a model folder (-o)", to_folder, [with_duplicates, refit, example is not None])
    _refuse_without_effect("--distill", distill, [time_limit is not None, bool(change)])
    _refuse_without_effect("--web", web is not None, [runtime is not None])
    results: dict[str, object] = {}
    if distill:
        results["distilled"] = student = _distill(run, model, time_limit, change)
        model = str(student["model"])
    if onnx is not None:
        results["onnx"] = _export_onnx(run, onnx, model or ENSEMBLE)
    if web is not None:
        results["web"] = _export_web(run, web, model or ENSEMBLE, runtime)
    if to_folder:
        options = ExportOptions(model or ENSEMBLE, with_duplicates, example, licence, refit)
        results |= _export_folder(run, output or Path("model"), options)
    if as_json:
        print_json(results)


#: Options that something else of the command line needs, by that.
_NEEDED = {
    "a model folder (-o)": ("--with-duplicates", "--refit", "--example"),
    "--distill": ("--time-limit", "--set"),
    "--web": ("--onnxruntime-web",),
}


def _refuse_without_effect(need: str, fulfilled: bool, given: Sequence[bool]) -> None:
    useless = [option for option, is_given in zip(_NEEDED[need], given, strict=True) if is_given]
    if useless and not fulfilled:
        raise ConfigError(f"{', '.join(useless)} has an effect only with {need}.")


def _distill(
    run: Path, model: str | None, time_limit: str | None, change: list[str] | None
) -> dict[str, object]:
    from aurist.automl.distill import distill, recipe_of_student
    from aurist.config import parse_duration
    from aurist.plan import time_limit as time_of_fit
    from aurist.recipes import parse_setting
    from aurist.records import to_json
    from aurist.run import open_run

    folder = open_run(run)
    recipe = recipe_of_student(folder, model or "mel-cnn", dict(map(parse_setting, change or ())))
    seconds = parse_duration(time_limit) if time_limit is not None else time_of_fit(folder.config())
    result = distill(folder, recipe, seconds)
    say(f"{result.model}: {result.score} out of fold")
    say(f"against the ensemble: {result.against_ensemble}")
    if result.against_plain is not None:
        say(f"against {recipe.name}, which learnt from labels alone: {result.against_plain}")
    return dict(to_json(result))


def _export_onnx(run: Path, output: Path, row: str) -> dict[str, object]:
    from aurist.export.onnx_file import check_onnx, export_onnx
    from aurist.records import to_json
    from aurist.run import open_model

    files = open_model(run)
    result = export_onnx(files, output, row)
    check = check_onnx(output, files, row)
    _say_onnx(output, result.size, row, result, check)
    say(f"input: waveform (batch, samples), one channel at {result.sample_rate} Hz")
    return dict(to_json(result), path=str(output), check=to_json(check))


def _export_web(run: Path, output: Path, row: str, runtime: Path | None) -> dict[str, object]:
    from aurist.export.web import export_web
    from aurist.records import to_json
    from aurist.run import open_model

    result = export_web(open_model(run), output, row, runtime=runtime)
    _say_onnx(output, result.size, row, result.onnx, result.check)
    say(
        f"try it: python -m http.server -d {output}, then open http://localhost:8000; or copy it to a web server"
    )
    return {"folder": str(output), "size": result.size, "check": to_json(result.check)}


def _say_onnx(output: Path, size: int, row: str, result: OnnxExport, check: OnnxCheck) -> None:
    score = f"; {result.score}" if result.score is not None else ""
    say(f"written: {output} ({size / 1e6:.1f} MB; {row}, {plural(result.n_networks, 'network')}{score})")
    say(f"checked on {check.n_clips} clips: probabilities differ by up to {check.difference:.1g}")


def _export_folder(run: Path, output: Path, options: ExportOptions) -> dict[str, object]:
    from aurist.export import export_run
    from aurist.records import to_json
    from aurist.run import open_run

    result = export_run(open_run(run), output, options)
    for name, why in result.left_out.items():
        say(f"left out: {name}, as {why}")
    if result.against_whole is not None:
        say(
            f"blended again without: {result.score} out of fold, {result.against_whole} against the run's ensemble"
        )
    say(f"written: {output} ({result.size / 1e6:.1f} MB; {', '.join(result.members)}; {result.score})")
    say(f"check it with: aurist verify {output}")
    return dict(to_json(result), folder=str(result.folder))


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


def push(
    model: Annotated[Path, typer.Argument(help="Model folder, as `aurist export` makes it.")],
    url: Annotated[str, typer.Argument(help="hf://owner/name, or a URL that fsspec opens, such as s3://.")],
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository of the hub public.")
    ] = False,
) -> None:
    """Copy a model folder to the Hugging Face hub, or to another place.

    The folder is verified first. All commands that predict take the URL in the place of a run.

    Examples:

      aurist push model hf://anna/wrens

      aurist predict hf://anna/wrens night.flac
    """
    from aurist.export import verify_model
    from aurist.run.remote import upload

    verify_model(model)
    upload(model, url, private=not public)
    say(f"written: {url}")
