"""Advice about a run: the honesty of its score in four sentences, and the next steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aurist.errors import plural
from aurist.report.cells import CellTable
from aurist.results.data_curve import DataCurve
from aurist.run import RunData
from aurist.run.scores_file import RunScores


def honesty(data: RunData, scores: RunScores) -> list[str]:
    """Say in four sentences how the score was kept honest."""
    folds = int(data.folds.max()) + 1
    given = bool(data.clips.table["fold"].notna().any()) and folds > 1
    divided = (
        'All clips of the part "valid" were predicted by models that learnt from the other clips alone.'
        if folds == 1
        else f"The clips were divided into {folds} folds{', those of the data,' if given else ''} and each clip was "
        "predicted by models that had learnt from the other folds alone."
    )
    if scores.groups_known:
        grouped = (
            f"Clips that belong together (of one recording, artist or site, and copies) are one of "
            f"{scores.n_groups:,} groups, and no clip was predicted by a model that had learnt from its group."
        )
    else:
        grouped = (
            "Copies are in one fold, but no groups are known: if several clips come from one recording, artist or "
            "site, the score is too high, and a column of groups would tell."
        )
    chosen = (
        "What was chosen (epochs, settings, weights of the ensemble, thresholds) was chosen on clips that did not "
        "count for the score of that choice: a part of the training folds, or the other folds."
    )
    spread = (
        f"The interval comes from 1,000 draws of whole groups, and guessing would score {scores.chance:.3f}."
    )
    return [divided, grouped, chosen, spread]


def neediest(per_class: pd.DataFrame) -> pd.Series | None:
    """Choose the class that needs clips most: one more clip of it removes the most errors.

    The errors of a class with n clips are taken to fall like a power of n, so that one more clip removes a part of them
    that is proportional to (1 - F1) / n. None if no class has errors.
    """
    table = per_class[per_class["n"] > 0]
    need = (1 - table["f1"].fillna(0.0)) / table["n"]
    if table.empty or need.max() <= 0:
        return None
    return table.iloc[int(need.to_numpy().argmax())]


def next_steps(
    per_class: pd.DataFrame, cells: CellTable, curve: DataCurve | None, n_suspects: int, n_left_out: int
) -> list[str]:
    """List what is likely to help, the most helpful first."""
    steps = []
    row = neediest(per_class)
    if row is not None:
        steps.append(
            f"Add clips of {row['class']}: it has {plural(int(row['n']), 'clip')} and an F1 of "
            f"{np.nan_to_num(row['f1']):.2f}, and more of it removes the most errors per clip. Take them from other "
            "recordings, sites or days."
        )
    if curve is not None and curve.doubled is not None:
        steps.append(about_twice(curve))
    wrong = [cell for cell in cells.cells.values() if cell.wrong]
    if wrong:
        most = max(wrong, key=lambda cell: len(cell.entries))
        if len(most.entries) > 1:
            steps.append(
                f"Listen to the most common error, {most.title} ({plural(len(most.entries), 'clip')}): click on its "
                "number in the table below."
            )
    if n_suspects:
        steps.append(
            f"Check {plural(n_suspects, 'label')} that {'is' if n_suspects == 1 else 'are'} likely wrong: aurist "
            "serve plays them under Data, the surest first."
        )
    if n_left_out:
        steps.append(f"Mend or remove {plural(n_left_out, 'clip')} that could not be used: see Data below.")
    return steps


def about_twice(curve: DataCurve) -> str:
    """Say what twice the clips would bring."""
    now, twice = curve.scores[-1].score, curve.doubled
    assert twice is not None
    gain = twice.score - now
    if gain < 0.005:
        return (
            "More clips like these would bring little: a forest scored the same with half of them. Other features, "
            "pretrained networks or cleaner labels may help more."
        )
    return (
        f"Twice the clips of every class would lift a forest from {now:.3f} to about {twice.score:.3f} "
        f"[{twice.low:.3f}, {twice.high:.3f}] ({curve.metric}), if the errors go on to fall as they did."
    )
