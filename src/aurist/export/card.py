"""The card of a model: ``README.md`` with the fields that Hugging Face reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from aurist.files import write_text
from aurist.plan import ENSEMBLE
from aurist.run.model_folder import ModelDescription

#: Classes that the card lists.
_SHOWN = 60


def write_card(folder: Path, model: ModelDescription, licence: str, cautions: Sequence[str]) -> None:
    """Write the card into a model folder."""
    listens = model.summary is not None or any(m.engine == "network" for m in model.ensemble.members)
    task = "audio-classification" if listens else "tabular-classification"
    score = model.scores.rows[ENSEMBLE]
    name = folder.name.strip(".").split(".")[0] or "model"
    front = "\n".join(
        [
            "---",
            "library_name: aurist",
            f"pipeline_tag: {task}",
            f"license: {json.dumps(licence)}",
            f"tags: [{task}, aurist]",
            "model-index:",
            f"- name: {json.dumps(name)}",
            "  results:",
            f"  - task: {{type: {task}}}",
            '    dataset: {name: "out-of-fold clips of the training data", type: "private"}',
            "    metrics:",
            f"    - {{type: {json.dumps(model.scores.metric)}, value: {score.score:.4f}}}",
            "---",
        ]
    )
    write_text(folder / "README.md", front + "\n\n" + _body(name, model, cautions, listens=listens))


def _body(name: str, model: ModelDescription, cautions: Sequence[str], *, listens: bool) -> str:
    scores = model.scores
    data = "recordings" if listens else "a table of features"
    example = "night.flac" if listens else "test.csv"
    rows = "\n".join(
        f"| {row} | {score.score:.3f} | {score.low:.3f} to {score.high:.3f} |"
        for row, score in scores.rows.items()
    )
    several = "A clip may have several of them." if model.multilabel else "A clip has one of them."
    shown = ", ".join(map(_literal, model.classes[:_SHOWN])) + (" ..." if len(model.classes) > _SHOWN else "")
    limits = "\n".join(f"- {caution}" for caution in [*cautions, *_limits(model)])
    return f"""# {name}

A model that recognises {len(model.classes)} classes in {data}, trained by [aurist](https://pypi.org/project/aurist/)
{model.aurist}. It holds plain numbers, neither pickles nor code.

```
pip install aurist
aurist verify {name}
aurist predict {name} {example}
```

## Classes

{shown}

{several}

## Scores

{scores.metric} on {scores.clips:,} clips in {scores.groups:,} groups that the scored models had not seen, with 95%
intervals over the groups. Guessing scores {scores.chance:.3f}.

| model | {scores.metric} | 95% interval |
| --- | --- | --- |
{rows}

{ENSEMBLE} makes the predictions. {_made_of(model)}

## Limits

{limits}
"""


def _literal(text: str) -> str:
    r"""Escape what Markdown or HTML would obey in the name of a class.

    Examples
    --------
    >>> print(_literal("<b>rock & roll</b>\n# [x](y)"))
    \<b\>rock \& roll\</b\> \# \[x\]\(y\)
    """
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return re.sub(r"([\\`*_{}\[\]<>()#+!|&~$])", r"\\\1", one_line)


def _made_of(model: ModelDescription) -> str:
    if model.n_folds == 1:
        return (
            "It has one model of each kind, fitted on all clips. The scores are those of the models of the folds,\n"
            "which had fewer clips to learn from."
        )
    return (
        f"For new clips it averages {model.n_folds} models of each kind; none of them was scored on clips that it had\n"
        "learnt from."
    )


def _limits(model: ModelDescription) -> list[str]:
    limits = [
        "The scores hold for clips like those of the training data: the same recorders, places and seasons. Score it "
        "on your own labelled clips with `aurist evaluate` before you rely on it.",
        "A clip of none of the classes is still given a class, if clips have one label each. Its likeness tells if "
        "it is unlike the training clips.",
    ]
    if model.unknown is not None:
        limits.append(model.unknown.sentence())
    if any(
        member.engine == "kernel" or member.settings.get("kind") == "svm" for member in model.ensemble.members
    ):
        limits.append(
            "Kernel ridge regression and support vectors keep features of training clips, from which the sound cannot "
            "be restored."
        )
    if model.left_out:
        limits.append(f"Left out, as they cannot be exported: {', '.join(model.left_out)}.")
    return limits
