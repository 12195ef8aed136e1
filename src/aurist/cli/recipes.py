"""`aurist recipes`, `aurist augment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import paragraph, print_json, print_table, say, show


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(recipes)
    app.command()(augment)


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Show this recipe: a name, or the path of a TOML file.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Every setting, those left alone too, as JSON.")
    ] = False,
) -> None:
    """List the recipes that networks are trained by, or show one.

    What is shown is TOML: write it to a file, change it, and give the file as `--recipe`. A file of your own may
    also begin with `base = "mel-cnn"` and say only what differs.

    Examples:

      aurist recipes

      aurist recipes mel-cnn > mine.toml
    """
    from aurist.recipes import read_recipe, recipe_names

    if name is not None:
        read = read_recipe(name)
        print_json(read.to_dict()) if as_json else show(_text(name), end="")
        return
    found = [read_recipe(one) for one in recipe_names()]
    if as_json:
        print_json({recipe.name: recipe.to_dict() for recipe in found})
        return
    for recipe in found:
        show(recipe.name)
        for line in (recipe.about, recipe.source):
            paragraph(line, indent="    ")
        print()


def _text(name: str) -> str:
    """As it is written, notes and all."""
    from aurist.recipes import recipe_path

    return recipe_path(name).read_text(encoding="utf-8")


def augment(
    file: Annotated[Path, typer.Argument(help="A recording.")],
    recipe: Annotated[str, typer.Option(help="A name of `aurist recipes`, or a TOML file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path("heard"),
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change to the recipe: window.seconds=3. May be repeated."),
    ] = None,
    count: Annotated[int, typer.Option(help="How many times to augment it.", min=1)] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the augmentation.", min=0, max=opt.MOST_SEED)] = 0,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Write what a network hears of a recording in training, as sound and as a picture.

    heard-0.wav is the window as it is, heard-1.wav and so on are augmented; heard.png holds their images, exactly as
    the network sees them.

    Example:

      aurist augment dog.wav --recipe mel-cnn -o heard
    """
    import pandas as pd

    from aurist.errors import MissingExtraError
    from aurist.features.store import default_cache_dir
    from aurist.folders import check_output
    from aurist.recipes import parse_setting, read_recipe

    read = read_recipe(recipe, dict(parse_setting(text) for text in change or ()))
    try:
        from aurist.models.training.augment_preview import hear_file
    except ImportError as error:
        raise MissingExtraError("Augmentation", "networks") from error
    from aurist.audio.writing import write_wav
    from aurist.plots.pictures import plot_images

    check_output(output, folder=True)
    heard = hear_file(file, read, count, seed, cache_dir or default_cache_dir())
    output.mkdir(parents=True, exist_ok=True)
    rate = read.front.sample_rate
    names = [f"heard-{place}.wav" for place in range(len(heard))]
    for name, one in zip(names, heard, strict=True):
        write_wav(output / name, one.wave, rate)
    images = [one.image for one in heard if one.image is not None]
    if images:
        plot_images(
            images,
            [one.changes for one in heard],
            output / "heard.png",
            seconds=len(heard[0].wave) / rate,
            heading=f"{file.name} as {read.name} sees it",
        )
    print_table(pd.DataFrame({"file": names, "changes": [one.changes for one in heard]}))
    say(f"written: {output}")
