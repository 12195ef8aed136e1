"""One model of many: blend, second level, prior correction, thresholds, duplicates."""
