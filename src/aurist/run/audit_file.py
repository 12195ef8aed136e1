"""``audit.json``: the findings of the audit, of which a fit reads a few facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurist.run.folder import RunFolder

AUDIT = "audit.json"
_SHAPE = {
    "content": {"sample_rates?": {str: int}, "clip_seconds?": {str: float}},
    "leaks": [{"between": str, "what": str, "rows": int}],
}


@dataclass(frozen=True)
class AuditFacts:
    """Facts about the data that a fit uses.

    Parameters
    ----------
    sample_rates
        Number of files by sample rate in Hz; empty without recordings.
    clip_seconds
        Quantiles of the lengths of clips, such as "median" and "95%"; empty without recordings.
    test_rows_of_learnt_groups
        Number of rows of the test table in a group of the training data.
    """

    sample_rates: Mapping[str, int]
    clip_seconds: Mapping[str, float]
    test_rows_of_learnt_groups: int = 0


def read_audit(run: RunFolder) -> AuditFacts:
    """Read the facts of the audit that a fit uses.

    Raises
    ------
    RunError
        If the file is missing or damaged.
    """
    audit = run.read_json(AUDIT, _SHAPE)
    content = audit["content"]
    leaks = [
        leak for leak in audit["leaks"] if (leak["between"], leak["what"]) == ("the two tables", "group")
    ]
    return AuditFacts(
        content.get("sample_rates", {}), content.get("clip_seconds", {}), sum(leak["rows"] for leak in leaks)
    )
