"""What the audit found, in sentences for people."""

from __future__ import annotations

import pandas as pd

from aurist.audit.audit import Audit


def sentences(found: Audit) -> list[str]:
    """What is broken, duplicated, contradictory or leaking, a sentence each; nothing where all is well."""
    said = []
    for kind, rows in found.broken.groupby("kind", sort=True):
        n = rows["row"].nunique()
        what = "left out" if rows["fatal"].all() else "kept" if not rows["fatal"].any() else "some left out"
        said.append(
            f"{n} {_plural('clip', n)} {kind} ({what}), such as {_name(rows)}: {rows['detail'].iloc[0]}"
        )
    if found.content["unlabelled"] and found.content["classes"] and not found.content["multilabel"]:
        count = found.content["unlabelled"]
        said.append(f"{count} clips have no label; `aurist fit` lists them, and needs one for each")
    if found.exact:
        rows_in_sets = sum(len(rows) for rows in found.exact)
        said.append(
            f"{found.distinct:,} distinct inputs: {rows_in_sets:,} clips stand in {len(found.exact):,} sets of exact "
            "duplicates, kept together in one fold"
        )
    across = int(found.near["in_test"].sum())
    for n, where in ((len(found.near) - across, ""), (across, ", one file of each in the second table")):
        if n:
            said.append(
                f"{n:,} {_plural('pair', n)} of near duplicates (the same sound, altered or cut){where}"
            )
    if len(found.conflicts):
        n_rows, n_sets = found.conflicts["row"].nunique(), _sets(found)
        said.append(
            f"{n_sets:,} {_plural('set', n_sets)} of duplicates carry more than one label ({n_rows:,} clips); "
            f"for identical inputs no model can be right more often than {found.ceiling:.1%}"
        )
    for leak in found.leaks.itertuples(index=False):
        said.append(
            f"leak between {leak.between}: {leak.rows:,} clips ({leak.share:.1%}) have a counterpart on another side "
            f"({leak.what}), such as {leak.example}"
        )
    said += [finding.detail for finding in found.findings]
    return said


def _sets(found: Audit) -> int:
    return len(found.conflicts[["kind", "set"]].drop_duplicates())


def _name(rows: pd.DataFrame) -> str:
    return str(rows["clip_id"].iloc[0])


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
