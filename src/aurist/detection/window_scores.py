"""What a run says of the windows of a recording, and the events in that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.events import Event, Times, find_events, parts_of

#: The share of the surest part, as it is stored.
SUREST = 255


@dataclass(frozen=True)
class Scores:
    """What a run says of the windows of a recording, of all classes or of some.

    Parameters
    ----------
    starts, ends
        (n,), in seconds.
    proba
        (n, n_classes).
    when
        (n, n_parts, n_classes): how sure a class is in equal parts of each window, as a share of its surest, which is
        255; one part where the run cannot tell.
    """

    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    proba: npt.NDArray[np.float32]
    when: npt.NDArray[np.uint8]

    def of_parts(self) -> tuple[Times, Times, Iterator[npt.NDArray[np.float32]]]:
        """The starts and ends of all parts of windows, (n * n_parts,), in order, and the scores there of each class.

        A class is as likely in its surest part as in the window. One class comes at a time: parts are many.
        """
        starts, ends = (times.ravel() for times in parts_of(self.starts, self.ends, self.when.shape[1]))
        order = np.lexsort((ends, starts))

        def scores() -> Iterator[npt.NDArray[np.float32]]:
            for column in range(self.proba.shape[1]):
                shares = self.when[:, :, column].astype(np.float32) / np.float32(SUREST)
                yield (shares * self.proba[:, column, None]).ravel()[order]

        return starts[order], ends[order], scores()

    def events(self, thresholds: npt.NDArray[np.float64]) -> list[Event]:
        """What is announced, by start, then by class: see `aurist.events.find_events`."""
        starts, ends, scores = self.of_parts()
        found = []
        for column, (said, asked) in enumerate(zip(scores, thresholds, strict=True)):
            own = find_events(starts, ends, said[:, None], np.array([asked]))
            found += [event._replace(column=column) for event in own]
        return sorted(found)
