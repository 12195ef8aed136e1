"""Print the leaderboard with sentences on its scores, and the plan of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurist.cli.printing import group_words, interval, line_width, paragraph, print_table, say

if TYPE_CHECKING:
    from aurist.plan import FitPlan
    from aurist.run import RunFolder
    from aurist.run.scores_file import AgainstSingle, HeldOut, OnTestTable, RandomSplit, RunScores

SHOWN = ["model", "score", "low", "high", "fit_time", "pred_time", "stack_level"]
#: Marks the model that makes the predictions.
PREDICTS = " (predicts)"
#: A line of this width also shows the validation score, after the honest one.
ROOM, CHOSEN_BY = 92, "score_val"
#: Headings of columns that only the file calls otherwise.
HEADINGS = {"score_val": "when chosen", "stack_level": "level"}
#: Columns of networks, by their headings.
OF_NETWORKS = {"params": "params (M)", "train_speed": "train clips/s", "pred_speed": "predict clips/s"}


def print_leaderboard(run: RunFolder) -> None:
    """Print the leaderboard, and sentences on the score below it."""
    from aurist.errors import plural
    from aurist.inference.thresholds import no_skill_sentence, silent_classes
    from aurist.run.events_file import read_events

    board = run.leaderboard()
    scores = run.scores()
    predicts = board["model"].where(board["model"] != scores.best, board["model"] + PREDICTS)
    print_table(
        board.assign(model=predicts)[_columns()].rename(columns=HEADINGS),
        title=f"{scores.metric}, higher is better; times in seconds, all folds together",
    )
    print()
    _print_networks(run)
    groups = group_words(scores.n_groups, known=scores.groups_known)
    paragraph(
        f"{scores.best}: {scores.metric} {interval(scores.score)} on {plural(scores.n_scored, 'clip')}{groups}; "
        f"chance is {scores.chance:.3f}."
    )
    if not run.is_finished():
        paragraph(
            f"The fit is not finished: these are the models so far. Continue with: aurist resume {run.folder}"
        )
    _print_gain(scores.vs_best_single)
    for caution in scores.cautions:
        paragraph(caution)
    _print_decisions(scores)
    for sentence in no_skill_sentence(silent_classes(run, scores.best), len(run.classes())):
        paragraph(f"{sentence}. --min-score predicts them too.")
    events = read_events(run.folder, run.remedy)
    if events is not None:
        paragraph(events.sentence())
    if scores.unknown is not None:
        paragraph(scores.unknown.sentence())
    if scores.random_split is not None:
        _print_random_split(scores.random_split)
    if scores.test is not None:
        _print_test(scores.test, scores.metric)
    if scores.held_out is not None:
        _print_held_out(scores.held_out, scores.metric)


def _columns() -> list[str]:
    if line_width() < ROOM:
        return SHOWN
    after = SHOWN.index("high") + 1
    return [*SHOWN[:after], CHOSEN_BY, *SHOWN[after:]]


def print_plan(plan: FitPlan, limit: float) -> None:
    """Print the models to fit, in order, with the time that each needs and may take."""
    import pandas as pd

    from aurist.config import duration

    rows = []
    for step in plan.steps:
        training = step.member.settings.get("recipe", {}).get("training", {})
        expected = "" if step.seconds is None else f"about {duration(step.seconds)}"
        by = "" if limit == float("inf") else duration(step.until * limit)
        rows.append((step.member.name, step.member.engine, training.get("epochs", ""), expected, by))
    columns = ["model", "engine", "epochs", "takes", "done by"]
    total = "none" if limit == float("inf") else duration(limit)
    print_table(
        pd.DataFrame(rows, columns=columns),
        title=f"models to fit, in this order; time limit: {total}",
    )
    for note in plan.notes:
        say(f"plan: {note}")


def _print_networks(run: RunFolder) -> None:
    """Print size and speed of networks, and the gain by votes, checkpoints and seeds."""
    board = run.leaderboard()
    networks = board[board["params"].notna()] if "params" in board else board.iloc[:0]
    if len(networks):
        costs = networks[["model", "score", *OF_NETWORKS]].assign(params=networks["params"] / 1e6)
        print_table(costs.rename(columns=OF_NETWORKS), title="size and speed of the networks")
        print()
    variants = run.variants()
    if variants is None:
        return
    print_table(
        variants, title="models of the leaderboard against variants; gain: of the model over the variant"
    )
    print()


def _print_gain(gain: AgainstSingle | None) -> None:
    """Print the gain of the ensemble over the best single model."""
    if gain is None:
        return
    verdict = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no clear difference"
    bounds = "" if gain.low != gain.low else f" [{gain.low:+z.3f}, {gain.high:+z.3f}]"
    paragraph(
        f"Ensemble makes the predictions (--model chooses another model). Against {gain.model}: "
        f"{gain.score:+z.3f}{bounds}, {verdict}."
    )


def _print_decisions(scores: RunScores) -> None:
    """Print scores of decided labels, if clips may have several."""
    decisions = [
        f"{name} {interval(decided.thresholds)} (at 0.5 {interval(decided.at_half)})"
        for name, decided in scores.decisions.items()
    ]
    if decisions:
        paragraph(
            f"Labels by a threshold per class where it gains, chosen on the other folds: {', '.join(decisions)}."
        )


def _print_random_split(split: RandomSplit) -> None:
    paragraph(
        f"A random split would claim {interval(split.random)} for {split.model}; "
        f"the honest score of the same model is {interval(split.honest)}."
    )
    if split.by_shares is None:
        return
    paragraph(
        "Warning: the difference is a leak. A random split has groups or duplicates on both sides. Use the honest "
        "score."
        if split.leak
        else "The difference is no sign of a leak: the class shares of the folds differ, which alone explains "
        f"{split.by_shares:+z.3f} (measured with shuffled features). Use the honest score."
    )


def _print_test(test: OnTestTable, metric: str) -> None:
    from aurist.errors import plural

    paragraph(
        f"The test table: {test.seen:,} of its {plural(test.rows, 'row')} "
        f"{'is' if test.seen == 1 else 'are'} in the training data. Expected "
        f"{metric}: {interval(test.expected_new)} on its new rows, {interval(test.expected_all)} on all rows."
    )
    if test.of_learnt_groups:
        paragraph(
            f"Rows of groups (recordings, artists) in the training data: {test.of_learnt_groups:,}. The score "
            "expected on new rows is for new groups, and lower."
        )


def _print_held_out(holdout: HeldOut, metric: str) -> None:
    from aurist.errors import plural

    paragraph(f"The held-out part, {plural(holdout.n, 'clip')}: {metric} {interval(holdout.score)}.")
    if holdout.seen:
        rest = (
            "nothing in it is new." if holdout.new is None else f"the others alone: {interval(holdout.new)}."
        )
        paragraph(
            f"{holdout.seen:,} of them {'is' if holdout.seen == 1 else 'are'} in the training data too, or in a "
            f"group of the training data; {rest}"
        )
