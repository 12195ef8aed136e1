"""All that the routes of a server share."""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request

from aurist.features.cache import default_cache_dir
from aurist.folders import remove_folder
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles
from aurist.run.model_folder import read_description
from aurist.serve.answers import Model, Score
from aurist.serve.counters import Counters
from aurist.serve.decoders import Decoders
from aurist.serve.engine import Engine
from aurist.serve.jobs import Jobs
from aurist.serve.options import ServeOptions
from aurist.serve.reviewing import Reviews


@dataclass
class Server:
    """One running server.

    Parameters
    ----------
    files
        Of the model.
    options
        Of the server.
    state
        The folder of its jobs, and of uploads while they are used.
    """

    files: ModelFiles
    options: ServeOptions
    state: Path
    counters: Counters = field(default_factory=Counters)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        uploads = self.state / "uploads"
        remove_folder(uploads)  # of a server that was killed
        uploads.mkdir(parents=True)
        limits = self.options.limits
        self.decoders = Decoders(limits)
        self.engine = Engine(
            self.files, uploads / "features", self.counters, waiting=limits.waiting, jobs=self.options.jobs
        )
        self.jobs = Jobs(self.files, self.state / "jobs", limits.jobs, self.options.jobs)
        self.reviews = Reviews(self.files, self.jobs, self.options.reviews)
        self.model = describe(self.files)

    def start(self) -> None:
        """Load the model, and go on with the jobs of an earlier server."""
        self.engine.load()
        self.jobs.start()

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Give a folder for the uploads of one request."""
        folder = Path(tempfile.mkdtemp(dir=self.state / "uploads"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Finish what waits, and end all processes."""
        self.stopping.set()
        self.jobs.close()
        self.engine.close()
        self.decoders.close()
        remove_folder(self.state / "uploads")


def server_of(request: Request) -> Server:
    """Give the server that serves a request."""
    server: Server = request.app.state.server
    return server


def state_folder(files: ModelFiles, options: ServeOptions) -> Path:
    """Give the folder of the jobs of a model."""
    return options.state or default_cache_dir() / "serve" / files.key()


def describe(files: ModelFiles) -> Model:
    """Describe a model for clients."""
    from aurist import __version__

    metric = files.spec.task.metric
    score = (
        read_description(files.folder).scores.rows[ENSEMBLE]
        if files.run is None
        else files.run.scores().score
    )
    low, high = (None if math.isnan(bound) else bound for bound in (score.low, score.high))
    return Model(
        name=files.folder.resolve().name,
        key=files.key(),
        classes=list(files.spec.task.classes),
        multilabel=files.spec.task.multilabel,
        window=files.spec.window,
        score=Score(metric=metric, value=score.score, low=low, high=high),
        is_run=files.run is not None,
        version=__version__,
    )
