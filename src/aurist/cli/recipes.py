"""`aurist recipes` and `aurist augment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import paragraph, print_json, print_table, say, show


def recipes(
    name: Annotated[str | None, typer.Argument(help="Recipe to show: a name, or a TOML file.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every setting as JSON, defaults included.")
    ] = False,
) -> None:
    """List the recipes of networks, or show one.

    A recipe is a TOML file. Save it, change it, and give your file to `--recipe`. A file that begins with `base =
    "mel-cnn"` needs only the settings that differ.

    Examples:

      aurist recipes

      aurist recipes mel-cnn > mine.toml
    """
    from aurist.recipes import read_recipe, recipe_names

    if name is not None:
        read = read_recipe(name)
        print_json(read.to_dict()) if as_json else show(_text(name), end="")
        return
    recipes_to_list = [read_recipe(recipe_name) for recipe_name in recipe_names()]
    if as_json:
        print_json({recipe.name: recipe.to_dict() for recipe in recipes_to_list})
        return
    for recipe in recipes_to_list:
        show(recipe.name)
        for line in (recipe.about, recipe.source):
            paragraph(line, indent="    ")
        print()


def _text(name: str) -> str:
    """Give the file as it is written, with its comments."""
    from aurist.recipes import recipe_path

    return recipe_path(name).read_text(encoding="utf-8")


def augment(
    file: Annotated[Path, typer.Argument(help="A recording.")],
    recipe: Annotated[str, typer.Option(help="Recipe: a name of `aurist recipes`, or a TOML file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")] = Path("heard"),
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting of the recipe: window.seconds=3. Repeatable."),
    ] = None,
    count: Annotated[int, typer.Option(help="Number of augmented versions.", min=1)] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the augmentation.", min=0, max=opt.MOST_SEED)] = 0,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Write the input of a network in training, as sound and as a picture.

    heard-0.wav is the original window; heard-1.wav, heard-2.wav ... are augmented. heard.png shows their images, as
    the network gets them.

    Example:

      aurist augment dog.wav --recipe mel-cnn -o heard
    """
    import pandas as pd

    from aurist.errors import MissingExtraError
    from aurist.folders import check_output, default_cache_dir
    from aurist.recipes import parse_setting, read_recipe

    read = read_recipe(recipe, dict(parse_setting(text) for text in change or ()))
    try:
        from aurist.models.training.augment_preview import preview_augmentation
    except ImportError as error:
        raise MissingExtraError("Augmentation", "networks") from error
    from aurist.audio.writing import write_wav
    from aurist.plots.pictures import plot_images

    check_output(output, folder=True)
    previews = preview_augmentation(file, read, count, seed, cache_dir or default_cache_dir())
    output.mkdir(parents=True, exist_ok=True)
    rate = read.front.sample_rate
    names = [f"heard-{number}.wav" for number in range(len(previews))]
    for name, preview in zip(names, previews, strict=True):
        write_wav(output / name, preview.wave, rate)
    images = [preview.image for preview in previews if preview.image is not None]
    if images:
        plot_images(
            images,
            [preview.changes for preview in previews],
            output / "heard.png",
            seconds=len(previews[0].wave) / rate,
            heading=f"{file.name} as {read.name} sees it",
        )
    print_table(pd.DataFrame({"file": names, "changes": [preview.changes for preview in previews]}))
    say(f"written: {output}")
