"""Features of clips: the summary for tabular models, its store, and the schema of feature tables."""
