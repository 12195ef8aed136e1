"""Detections for people to judge: sample, cut clips, read the verdicts."""
