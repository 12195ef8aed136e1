"""The run folder, and the data that it was fitted on."""

from aurist.run.audit_file import AuditFacts, read_audit
from aurist.run.data import HELD_OUT, RunData, held_out, training_data
from aurist.run.duplicates_file import read_duplicates, write_duplicates
from aurist.run.ensemble_file import read_ensemble, write_ensemble
from aurist.run.folder import RunFolder, create_run, open_run
from aurist.run.model_files import ModelFiles, files_of_run
from aurist.run.model_folder import open_model
from aurist.run.openset_file import read_open_set, write_open_set
from aurist.run.reading import read_data, read_spec
from aurist.run.spec import RunSpec

__all__ = [
    "HELD_OUT",
    "AuditFacts",
    "ModelFiles",
    "RunData",
    "RunFolder",
    "RunSpec",
    "create_run",
    "files_of_run",
    "held_out",
    "open_model",
    "open_run",
    "read_audit",
    "read_data",
    "read_duplicates",
    "read_ensemble",
    "read_open_set",
    "read_spec",
    "training_data",
    "write_duplicates",
    "write_ensemble",
    "write_open_set",
]
