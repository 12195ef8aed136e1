"""Pictures of the results, as PNG or SVG: confusion matrix, leaderboard, importance, reliability, activity ..."""

from aurist.plots.activity import plot_activity
from aurist.plots.charts import plot_confusion, plot_importance, plot_leaderboard, plot_reliability
from aurist.plots.curves import plot_curves, plot_data_curve
from aurist.plots.event_curves import plot_event_curves
from aurist.plots.figure import can_draw

__all__ = [
    "can_draw",
    "plot_activity",
    "plot_confusion",
    "plot_curves",
    "plot_data_curve",
    "plot_event_curves",
    "plot_importance",
    "plot_leaderboard",
    "plot_reliability",
]
