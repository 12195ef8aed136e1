"""Choose the embedders of a fit: those that the user names, else those of this machine that the time allows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aurist.audit import Audit
from aurist.clips import Clips
from aurist.config import FitConfig, duration, read_toml
from aurist.embedders import (
    Available,
    Embedder,
    check_licence,
    find_embedder,
    is_accepted,
    list_embedders,
    load_embedder,
    share_embedded,
)
from aurist.errors import AuristError, ConfigError
from aurist.extras import need_extra
from aurist.plan import time_limit
from aurist.progress import logger
from aurist.recipes import Recipe, read_recipe, recipe_names

#: Share of the time limit that embedders may take if the user names none.
MOST_TIME = 0.2


def embedders_of(
    config: FitConfig, clips: Clips, report: Audit, *, jobs: int, cache_dir: Path | None = None
) -> list[Available | Recipe]:
    """Return the networks that make embeddings of the clips.

    Parameters
    ----------
    config
        The settings. If they name no embedders, those of this machine are used while their time allows.
    clips, report
        The clips, and their audit.
    jobs
        Cores.
    cache_dir
        Folder of the cache: embeddings that are stored there take no time. None: the default folder.
    """
    if config.embeddings is not None:
        return named_embedders(config.embeddings)
    if clips.features or not clips.has_audio or config.engine == "networks" or config.plan is not None:
        return []
    hours = float(str(report.content.get("clip_hours", 0.0)))
    return _by_default(clips, hours * 3600, MOST_TIME * time_limit(config), jobs, cache_dir)


def named_embedders(names: Sequence[str]) -> list[Available | Recipe]:
    """Find networks by name, and check that they may be used.

    Raises
    ------
    ConfigError
        If there is none of this name, its licence was not accepted, or its weights are random.
    EmbedderError
        If its network is not on this machine.
    """
    return [
        _checked_recipe(read_recipe(name)) if _is_recipe(name) else _checked(find_embedder(name))
        for name in names
    ]


def _by_default(
    clips: Clips, seconds: float, at_most: float, jobs: int, cache_dir: Path | None
) -> list[Available | Recipe]:
    chosen: list[Available | Recipe] = []
    for available in list_embedders():
        spec = available.spec
        if available.network is None:
            continue
        if not is_accepted(spec):
            logger.info(
                f"embeddings: {spec.name} is installed, and not used: its licence ({spec.licence}) forbids commercial "
                f'use. To use it: accept_licence="{spec.name}"'
            )
            continue
        try:
            embedder = load_embedder(spec, available.path())
            windows = (seconds / spec.step + len(clips)) * (
                1 - share_embedded(clips, embedder, cache_dir=cache_dir)
            )
            expected = windows * _seconds_per_window(embedder) / jobs
        except AuristError as error:
            logger.info(f"embeddings: {spec.name} is not used: {error}")
            continue
        if expected > at_most:
            logger.info(
                f"embeddings: {spec.name} would need about {duration(expected)}, and is left out; with "
                f'embeddings="{spec.name}" it is used in any case'
            )
            continue
        at_most -= expected
        logger.info(f"embeddings: {spec.name}, about {duration(expected)}")
        chosen.append(available)
    return chosen


def _seconds_per_window(embedder: Embedder) -> float:
    windows = np.zeros((4, embedder.spec.n_samples), np.float32)
    embedder.network(windows[:1])
    started = time.perf_counter()
    embedder.network(windows)
    return (time.perf_counter() - started) / len(windows)


def _is_recipe(name: str) -> bool:
    if name in recipe_names():
        return True
    path = Path(name)
    return (
        path.suffix == ".toml" and path.is_file() and bool({"network", "base"} & read_toml(path, "it").keys())
    )


def _checked(available: Available) -> Available:
    available.path()
    check_licence(available.spec)
    return available


def _checked_recipe(recipe: Recipe) -> Recipe:
    network = recipe.network
    if not (network.pretrained or network.weights or network.transformer):
        raise ConfigError(
            f"{recipe.name} starts with random weights, so its output means nothing before training. To "
            f"make features, give its recipe network.weights = a file, network.pretrained = true, or a "
            'backbone such as "transformer:MIT/ast-finetuned-audioset-10-10-0.4593".'
        )
    need_extra("networks", f"The recipe {recipe.name}")
    return recipe
