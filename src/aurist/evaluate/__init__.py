"""How good predictions are and how sure that is: intervals, tables, calibration, the leaderboard."""

from aurist.evaluate.best_of import Best, best_of
from aurist.evaluate.bootstrap import Interval, all_scores, bootstrap
from aurist.evaluate.chance import chance
from aurist.evaluate.differences import Difference, paired, pairwise
from aurist.evaluate.leaderboard import LEADERBOARD_COLUMNS, LeaderboardRow, Score, leaderboard
from aurist.evaluate.tables import confusion, ece, per_class, reliability

__all__ = [
    "LEADERBOARD_COLUMNS",
    "Best",
    "Difference",
    "Interval",
    "LeaderboardRow",
    "Score",
    "all_scores",
    "best_of",
    "bootstrap",
    "chance",
    "confusion",
    "ece",
    "leaderboard",
    "paired",
    "pairwise",
    "per_class",
    "reliability",
]
