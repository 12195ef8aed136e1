"""The networks of a row of the leaderboard, if it has nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aurist.errors import ConfigError
from aurist.fold_files import count_folds, fold_folder
from aurist.models.base import ModelSpec, NotPortableError
from aurist.models.engines import engine
from aurist.models.network_files import NetworkFiles, read_networks
from aurist.models.network_member import ENGINE, INT8, recipe_of
from aurist.run import ModelFiles


@dataclass(frozen=True)
class FoldNetworks:
    """The networks of a member in one fold.

    Parameters
    ----------
    member, weight
        The name of the member, and its weight in the row.
    files
        The networks, with their ONNX files.
    pooling
        The pooling of windows to clips.
    """

    member: str
    weight: float
    files: NetworkFiles
    pooling: str

    @property
    def paths(self) -> list[list[Path]]:
        """The ONNX files that predict: for each seed those of its checkpoints."""
        return self.files.int8 if self.files.recipe.training.quantize == INT8 else self.files.onnx


def networks_of(files: ModelFiles, row: str) -> list[list[FoldNetworks]]:
    """Return the networks of a row by fold.

    Raises
    ------
    ConfigError
        If there is no such row, or some of its members are no networks of spectrograms.
    RunError
        If files are missing or damaged.
    """
    ensemble = files.ensemble
    ensemble.check_row(row)
    n_folds = len(ensemble.weights.get(row, ())) or files.n_folds or count_folds(files.models / row)
    weights = [
        {member: weight for member, weight in ensemble.weighted_members(row, fold).items() if weight > 0}
        for fold in range(n_folds)
    ]
    _check(files, row, sorted({member for fold in weights for member in fold}))
    return [
        [_of_fold(files, ensemble.members[member], fold, weight) for member, weight in of_fold.items()]
        for fold, of_fold in enumerate(weights)
    ]


def _check(files: ModelFiles, row: str, members: list[str]) -> None:
    others = [member for member in members if files.ensemble.members[member].engine != ENGINE]
    if not others:
        return
    networks = [name for name, member in files.ensemble.members.items() if member.engine == ENGINE]
    alone = f' Export a network alone: model="{networks[0]}".' if networks else ""
    raise ConfigError(
        f"{row} cannot be one ONNX file: it needs features of the whole clip for {', '.join(others)}, and one ONNX "
        f"file holds only networks on spectrograms. With distill=True a network learns what {row} predicts, and is "
        f"exported.{alone} A model folder holds everything: "
        f"aurist export {files.folder} -o model"
    )


def _of_fold(files: ModelFiles, member: ModelSpec, fold: int, weight: float) -> FoldNetworks:
    folder = fold_folder(files.models / member.name, fold)
    try:
        engine(ENGINE).portable_files(folder, files.spec.task)
    except NotPortableError as error:
        raise ConfigError(f"{member.name} cannot be one ONNX file: {error}.") from error
    pooling = str(member.settings.get("pooling", recipe_of(member).window.pooling[0]))
    return FoldNetworks(member.name, weight, read_networks(folder), pooling)
