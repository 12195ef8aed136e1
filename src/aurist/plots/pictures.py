"""Pictures of the images that networks get."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.errors import DataError
from aurist.plots.figure import INK, MUTED, blank_figure, plain_axes, save, text_style


def plot_images(
    images: Sequence[npt.NDArray[np.float32]],
    titles: Sequence[str],
    path: Path,
    *,
    seconds: float,
    heading: str = "",
) -> None:
    """Draw spectrograms below each other, with one scale of colours and one of time.

    Parameters
    ----------
    images
        (rows, frames) each, the lowest row first.
    titles
        One for each image.
    path
        The PNG file; replaced as a whole.
    seconds
        The length of an image.
    heading
        The title of the whole picture.

    Raises
    ------
    DataError
        If there is nothing to draw, or not one title per image.
    """
    if not images or len(images) != len(titles):
        raise DataError(f"There are {len(images)} images and {len(titles)} titles; each needs its own.")
    height = 1.75 * len(images) + 0.9
    figure = blank_figure(9.0, height)
    low, high = min(float(i.min()) for i in images), max(float(i.max()) for i in images)
    figure.text(0.06, 1 - 0.3 / height, heading, fontsize=12, fontweight="bold", color=INK, **text_style())
    for index, (image, title) in enumerate(zip(images, titles, strict=True)):
        bottom = (height - 0.75 - 1.75 * (index + 1) + 0.3) / height
        axes = figure.add_axes((0.06, bottom, 0.92, 1.25 / height))
        axes.imshow(
            image,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=low,
            vmax=high,
            interpolation="nearest",
            extent=(0, seconds, 0, len(image)),
        )
        axes.set_title(
            textwrap.shorten(title, 110, placeholder=" ..."),
            loc="left",
            fontsize=9,
            color=MUTED,
            **text_style(),
        )
        plain_axes(axes)
        axes.set_yticks([])
        axes.tick_params(labelbottom=index + 1 == len(images))
    axes.set_xlabel("Seconds", color=MUTED)
    save(figure, path)
