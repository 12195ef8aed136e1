"""Suspicious clips of the training data, and what people decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.results.label_errors import likely_label_errors
from aurist.review.journal import key_of
from aurist.run import RunFolder
from aurist.serve.clip_answers import read_clip
from aurist.serve.decisions import Decisions
from aurist.serve.refusals import RefusedError
from aurist.serve.sound import Samples

#: The most seconds of a clip to hear.
_LONGEST = 30.0


@dataclass
class LabelErrors:
    """Suspicious clips of a run, and what people decided about them.

    Parameters
    ----------
    run
        The run.
    decisions
        Of the server.
    """

    run: RunFolder
    decisions: Decisions

    @cached_property
    def table(self) -> pd.DataFrame:
        """See `likely_label_errors`; with the key and the file of each clip, by its key."""
        table = likely_label_errors(self.run)
        root = self.run.description().root
        files = [
            Path(path) if root is None or Path(path).is_absolute() else Path(root) / path
            for path in table["path"]
        ]
        keys = [
            key_of(name, 0.0, 0.0, label)
            for name, label in zip(table["clip_id"], table["suggestion"], strict=True)
        ]
        return table.assign(file=pd.Series(files, dtype=object), key=keys).set_index("key", drop=False)

    def decide(self, key: str, words: list[str]) -> None:
        """Store a decision; when this returns, it is on the disk."""
        row = self.row(key)
        self.decisions.decide(
            key, str(row["clip_id"]), words, [one for one in row["label"].split(";") if one]
        )

    def row(self, key: str) -> Mapping[str, Any]:
        """Give a suspicious clip."""
        if key not in self.table.index:
            raise RefusedError(404, "no_clip", "There is no such clip. Load the page again.")
        return {str(name): value for name, value in self.table.loc[key].items()}

    def clip(self, key: str) -> Samples:
        """Read the sound of a clip."""
        row = self.row(key)
        start = 0.0 if pd.isna(row["start"]) else float(row["start"])
        end = start + _LONGEST if pd.isna(row["end"]) else min(float(row["end"]), start + _LONGEST)
        return read_clip(row["file"], start, end)
