"""Tell the files of a model that leave a run, and the reasons of models that cannot leave."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from aurist.fold_files import fold_folder
from aurist.models.base import ModelSpec, NotPortableError, Task
from aurist.models.engines import engine
from aurist.run import RunFolder


def portable_files(run: RunFolder, task: Task, member: ModelSpec, n_folds: int) -> list[Path]:
    """List the files of a model that predictions need, in all folds.

    Raises
    ------
    NotPortableError
        If some of them would be pickles, or need a library that holds a run in its environment.
    """
    folders = [fold_folder(run.models / member.name, fold) for fold in range(n_folds)]
    portable = engine(member.engine).portable_files
    return [path for folder in folders for path in portable(folder, task)]


def split_members(
    run: RunFolder, task: Task, members: Sequence[ModelSpec], n_folds: int
) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """Tell the models that can leave the run, with their files, from the others, with the reasons."""
    files, reasons = {}, {}
    for member in members:
        try:
            files[member.name] = portable_files(run, task, member, n_folds)
        except NotPortableError as error:
            reasons[member.name] = str(error)
    return files, reasons


def copy_files(files: Sequence[Path], source: Path, target: Path) -> None:
    """Copy files to the same places in another folder."""
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
