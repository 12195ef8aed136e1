"""Counts and durations in the text format of Prometheus."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

#: Upper bounds of the buckets of durations, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_HELP = {
    "aurist_requests_total": ("counter", "Requests by route and status."),
    "aurist_clips_total": ("counter", "Clips that were predicted."),
    "aurist_batches_total": ("counter", "Batches that the model predicted."),
    "aurist_cpu_seconds_total": (
        "counter",
        "Processor time of clips to label, by part: decode, features, models.",
    ),
    "aurist_refused_total": ("counter", "Requests that were refused, by reason."),
    "aurist_waiting": ("gauge", "Requests for predictions that wait or are computed."),
    "aurist_jobs": ("gauge", "Detection jobs by state."),
    "aurist_request_seconds": ("histogram", "Time of requests in seconds, by route."),
}

_Labels = tuple[tuple[str, str], ...]


class Counters:
    """Counts of a server; safe with several threads.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.add("aurist_clips_total", 3)
    >>> counters.seconds("/v1/predict", 0.3)
    >>> "aurist_clips_total 3" in counters.text().splitlines()
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, _Labels], float] = defaultdict(float)
        self._durations: dict[str, list[float]] = {}

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._values[name, tuple(sorted(labels.items()))] += amount

    def seconds(self, route: str, seconds: float) -> None:
        """Count the duration of a request."""
        with self._lock:
            # one count per bucket, of all, and the sum
            row = self._durations.setdefault(route, [0.0] * (len(BOUNDS) + 2))
            for column, bound in enumerate(BOUNDS):
                row[column] += seconds <= bound
            row[-2] += 1
            row[-1] += seconds

    def text(self, gauges: Mapping[str, Mapping[_Labels, float]] | None = None) -> str:
        """Write all values; ``gauges`` holds the values of this moment, by name and labels."""
        with self._lock:
            rows: dict[str, list[str]] = {name: [] for name in _HELP}
            values = {
                **self._values,
                **{(n, key): v for n, of in (gauges or {}).items() for key, v in of.items()},
            }
            for (name, labels), value in sorted(values.items()):
                rows[name].append(f"{name}{_braces(labels)} {value:g}")
            for route, row in sorted(self._durations.items()):
                rows["aurist_request_seconds"] += _histogram(route, row)
        lines = []
        for name, (kind, text) in _HELP.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *rows[name]]
        return "\n".join(lines) + "\n"


def _histogram(route: str, row: list[float]) -> list[str]:
    name = "aurist_request_seconds"
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    buckets = [
        f"{name}_bucket{_braces((('le', bound), ('route', route)))} {count:g}"
        for bound, count in zip(bounds, row[:-1], strict=True)
    ]
    labels = _braces((("route", route),))
    return [*buckets, f"{name}_sum{labels} {row[-1]:.6f}", f"{name}_count{labels} {row[-2]:g}"]


def _braces(labels: _Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{value}"' for name, value in labels)
    return "{" + ",".join(pairs) + "}"
