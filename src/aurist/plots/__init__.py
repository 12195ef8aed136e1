"""Pictures of the results, as PNG files: confusion matrix, leaderboard, importance, reliability."""

from aurist.plots.charts import plot_confusion, plot_importance, plot_leaderboard, plot_reliability

__all__ = ["plot_confusion", "plot_importance", "plot_leaderboard", "plot_reliability"]
