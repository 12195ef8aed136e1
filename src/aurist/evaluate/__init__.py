"""How good predictions are and how sure that is: intervals, tables, calibration, the leaderboard."""

from aurist.evaluate.bootstrap import Interval, all_scores, bootstrap, chance
from aurist.evaluate.differences import Difference, paired, pairwise
from aurist.evaluate.leaderboard import LEADERBOARD_COLUMNS, LeaderboardRow, Score, leaderboard
from aurist.evaluate.tables import confusion, ece, per_class, reliability

__all__ = [
    "LEADERBOARD_COLUMNS",
    "Difference",
    "Interval",
    "LeaderboardRow",
    "Score",
    "all_scores",
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
