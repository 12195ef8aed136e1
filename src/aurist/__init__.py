"""aurist learns to recognise sounds, and says honestly how well."""

__version__ = "0.1.0"
