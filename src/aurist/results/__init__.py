"""How good a run is and how sure that is: scores, intervals, leaderboard, comparisons, evaluation on new data."""
