"""The run folder, and the data that it was fitted on."""

from aurist.run.data import HELD_OUT, RunData, held_out, training_data
from aurist.run.folder import RunFolder, create_run, open_run
from aurist.run.reading import read_data

__all__ = [
    "HELD_OUT",
    "RunData",
    "RunFolder",
    "create_run",
    "held_out",
    "open_run",
    "read_data",
    "training_data",
]
