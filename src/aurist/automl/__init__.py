"""From data and a time limit to a finished run: prepare, plan, train."""
