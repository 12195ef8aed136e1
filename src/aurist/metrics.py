"""Scores: pure functions of the truth and the probabilities; higher is always better."""
