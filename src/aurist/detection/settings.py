"""The settings that the scores of a folder of detections depend on: ``settings.json``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from aurist.errors import ConfigError, DataError, listing, plural
from aurist.events import Grid
from aurist.files import write_json
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles
from aurist.stored import read_json

SETTINGS = "settings.json"
#: The expected content of the file.
_SETTINGS = {
    "run": str,
    "model": str,
    "channel": (int, str),
    "classes": [str],
    "window": float,
    "overlap": float,
}
_NO_SETTINGS = (
    "Take it from a copy of {folder}, or scan the recordings again into another folder with `aurist predict`."
)


def scan_settings(
    files: ModelFiles,
    model: str | None,
    grid: Grid,
    channel: int | None,
    windows_per_block: int,
    parts: int,
    *,
    sound: bool = False,
) -> dict[str, Any]:
    """Collect the settings that scores depend on; ``sound``: levels of the classes are stored too."""
    settings = {
        "run": files.key(),
        "model": model or ENSEMBLE,
        **asdict(grid),
        "channel": "mixed" if channel is None else channel,
        "parts": parts,
        "windows_per_block": windows_per_block,
        "classes": list(files.spec.task.classes),
    }
    # folders of older versions go on without it
    return settings | {"sound": True} if sound else settings


def read_settings(folder: Path) -> dict[str, Any]:
    """Read the settings of a folder of detections.

    Raises
    ------
    DataError
        If it is no such folder, or the file is damaged.
    """
    path = folder / SETTINGS
    if not path.exists():
        raise DataError(
            f"{folder} is no folder of detections: there is no {SETTINGS} in it. Make one with: aurist predict RUN "
            f"RECORDINGS -o {folder}"
        )
    return dict(read_json(path, _SETTINGS, _NO_SETTINGS.format(folder=folder)))


def check_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Write the settings of a new folder; check those of a folder with scores.

    Raises
    ------
    ConfigError
        If the folder holds scores with other settings.
    DataError
        If it holds something else.
    """
    path = folder / SETTINGS
    if not path.exists():
        # hidden files are the lock, and the rest of a first write that was killed
        other_files = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        if other_files:
            raise DataError(
                f"{folder} is no folder of detections: it holds {', '.join(other_files[:5])}, and no {SETTINGS}. "
                "Give a new folder with output=."
            )
        write_json(path, settings)
        return
    stored_settings = read_json(path, dict, _NO_SETTINGS.format(folder=folder))
    differences = [
        f"{name}: {stored_settings.get(name)} in the folder, {settings.get(name)} now"
        for name in {**stored_settings, **settings}
        if stored_settings.get(name) != settings.get(name)
    ]
    if differences:
        raise ConfigError(
            f"{folder} holds scores with other settings; {plural(len(differences), 'setting')} "
            f"{'differs' if len(differences) == 1 else 'differ'}:\n{listing(differences)}\n"
            "Continue with the settings of the folder, or give another folder with output=."
        )
