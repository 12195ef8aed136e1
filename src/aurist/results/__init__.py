"""Score runs: scores with intervals, leaderboard, comparisons, evaluation on new data."""
