"""Predictions for new data: read inputs, compute features, apply models, write a submission."""
