"""Answers for new data: read the inputs, make the features, ask the models, write a submission."""
