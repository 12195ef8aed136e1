"""Describe the result of an audit in sentences for people."""

from __future__ import annotations

import pandas as pd

from aurist.audit.result import Audit
from aurist.clips.table import row_display_name
from aurist.errors import about, plural


def sentences(audit: Audit) -> list[str]:
    """List a sentence for each broken, duplicated, contradictory or leaking thing; empty if all is well."""
    return [sentence for _, sentence in findings(audit)]


def findings(audit: Audit) -> list[tuple[str, str]]:
    """List the kind and a sentence for each broken, duplicated, contradictory or leaking thing."""
    pairs: list[tuple[str, str]] = []
    for kind, rows in audit.broken.groupby("kind", sort=True):
        n = rows["row"].nunique()
        treatment = (
            "left out" if rows["fatal"].all() else "kept" if not rows["fatal"].any() else "some left out"
        )
        example = about(_first_name(audit, rows), rows["detail"].iloc[0])
        pairs.append((str(kind), f"{plural(n, 'clip')} {kind} ({treatment}), such as {example}"))
    if audit.content["unlabelled"] and audit.content["classes"] and not audit.content["multilabel"]:
        count = int(str(audit.content["unlabelled"]))
        has = "has" if count == 1 else "have"
        pairs.append(
            (
                "unlabelled",
                f"{plural(count, 'clip')} {has} no label; `aurist fit` needs one for each, and lists those without",
            )
        )
    if audit.exact:
        rows_in_sets = sum(len(rows) for rows in audit.exact)
        pairs.append(
            (
                "duplicates",
                f"{plural(audit.distinct, 'distinct input')}: {rows_in_sets:,} clips are in "
                f"{plural(len(audit.exact), 'set')} of exact duplicates, kept together in one fold",
            )
        )
    across = int(audit.near["in_test"].sum())
    for n, location in ((len(audit.near) - across, ""), (across, ", one file of each in the second table")):
        if n:
            pairs.append(
                (
                    "near duplicates",
                    f"{plural(n, 'pair')} of near duplicates (the same sound, altered or cut){location}",
                )
            )
    if len(audit.conflicts):
        n_rows, n_sets = audit.conflicts["row"].nunique(), _sets(audit)
        pairs.append(
            (
                "contradictory labels",
                f"{plural(n_sets, 'set')} of duplicates {'carries' if n_sets == 1 else 'carry'} more than one label "
                f"({n_rows:,} clips); "
                f"for identical inputs no model can be right more often than {audit.ceiling:.1%}",
            )
        )
    for leak in audit.leaks.itertuples(index=False):
        pairs.append(
            (
                "leak",
                f"leak between {leak.between}: {plural(int(str(leak.rows)), 'clip')} ({leak.share:.1%}) "
                f"{'has' if leak.rows == 1 else 'have'} a counterpart on another side "
                f"({leak.what}), such as {leak.example}",
            )
        )
    pairs += [(finding.kind, finding.detail) for finding in audit.findings]
    return pairs


def _sets(audit: Audit) -> int:
    return len(audit.conflicts[["kind", "set"]].drop_duplicates())


def _first_name(audit: Audit, rows: pd.DataFrame) -> str:
    """Return the display name of the first of the rows."""
    first = rows.iloc[0]
    return row_display_name(
        str(first["clip_id"]), first["path"], audit.rows[first["row"]] if audit.rows else None
    )
