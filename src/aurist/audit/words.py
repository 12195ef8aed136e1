"""What the audit found, in sentences for people."""

from __future__ import annotations

import pandas as pd

from aurist.audit.found import Audit
from aurist.clips.table import row_display_name
from aurist.errors import about, plural


def sentences(audit: Audit) -> list[str]:
    """What is broken, duplicated, contradictory or leaking, a sentence each; nothing where all is well."""
    return [sentence for _, sentence in findings(audit)]


def findings(found: Audit) -> list[tuple[str, str]]:
    """Describe what is broken, duplicated, contradictory or leaking: its kind, and a sentence."""
    said: list[tuple[str, str]] = []
    for kind, rows in found.broken.groupby("kind", sort=True):
        n = rows["row"].nunique()
        what = "left out" if rows["fatal"].all() else "kept" if not rows["fatal"].any() else "some left out"
        said.append(
            (
                str(kind),
                f"{plural(n, 'clip')} {kind} ({what}), such as {about(_called(found, rows), rows['detail'].iloc[0])}",
            )
        )
    if found.content["unlabelled"] and found.content["classes"] and not found.content["multilabel"]:
        count = int(str(found.content["unlabelled"]))
        has = "has" if count == 1 else "have"
        said.append(
            (
                "unlabelled",
                f"{plural(count, 'clip')} {has} no label; `aurist fit` needs one for each, and lists those without",
            )
        )
    if found.exact:
        rows_in_sets = sum(len(rows) for rows in found.exact)
        said.append(
            (
                "duplicates",
                f"{plural(found.distinct, 'distinct input')}: {rows_in_sets:,} clips stand in "
                f"{plural(len(found.exact), 'set')} of exact duplicates, kept together in one fold",
            )
        )
    across = int(found.near["in_test"].sum())
    for n, where in ((len(found.near) - across, ""), (across, ", one file of each in the second table")):
        if n:
            said.append(
                (
                    "near duplicates",
                    f"{plural(n, 'pair')} of near duplicates (the same sound, altered or cut){where}",
                )
            )
    if len(found.conflicts):
        n_rows, n_sets = found.conflicts["row"].nunique(), _sets(found)
        said.append(
            (
                "contradictory labels",
                f"{plural(n_sets, 'set')} of duplicates {'carries' if n_sets == 1 else 'carry'} more than one label "
                f"({n_rows:,} clips); "
                f"for identical inputs no model can be right more often than {found.ceiling:.1%}",
            )
        )
    for leak in found.leaks.itertuples(index=False):
        said.append(
            (
                "leak",
                f"leak between {leak.between}: {plural(int(str(leak.rows)), 'clip')} ({leak.share:.1%}) "
                f"{'has' if leak.rows == 1 else 'have'} a counterpart on another side "
                f"({leak.what}), such as {leak.example}",
            )
        )
    said += [(finding.kind, finding.detail) for finding in found.findings]
    return said


def _sets(found: Audit) -> int:
    return len(found.conflicts[["kind", "set"]].drop_duplicates())


def _called(found: Audit, rows: pd.DataFrame) -> str:
    """Name the first of the rows as people find it in their file."""
    first = rows.iloc[0]
    return row_display_name(
        str(first["clip_id"]), first["path"], found.rows[first["row"]] if found.rows else None
    )
