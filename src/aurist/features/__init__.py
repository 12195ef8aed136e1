"""Features of clips: summary features, spectrograms, their caches, and the schema of feature tables."""
