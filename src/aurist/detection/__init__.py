"""Events in long recordings: scan windows, store their scores, write detections."""
