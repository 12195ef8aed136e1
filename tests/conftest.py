"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data, which is not part of the project: tests that need it skip without it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AURIST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the real data, which is not in {folder}; set AURIST_DATA to where it is")
    return folder
