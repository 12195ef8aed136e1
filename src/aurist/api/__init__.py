"""The Python API, which `aurist` re-exports: fit, load and use a run; look at data; a classifier for scikit-learn.

It computes nothing itself: the command line calls the same functions below.
"""
