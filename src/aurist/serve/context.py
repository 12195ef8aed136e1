"""All that the routes of a server share."""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request

from aurist.errors import AuristError
from aurist.folders import default_cache_dir, remove_folder
from aurist.machine import available_cores
from aurist.plan import ENSEMBLE
from aurist.progress import logger
from aurist.run import ModelFiles, RunFolder, open_model
from aurist.run.model_folder import read_description
from aurist.serve.answers import Model, Score
from aurist.serve.check_findings import CheckFindings
from aurist.serve.counters import Counters
from aurist.serve.decisions import Decisions
from aurist.serve.decoders import Decoders
from aurist.serve.engine import Engine
from aurist.serve.improving import Improving
from aurist.serve.jobs import Jobs
from aurist.serve.label_errors import LabelErrors
from aurist.serve.live_sessions import LiveSessions
from aurist.serve.models import Models
from aurist.serve.options import ServeOptions
from aurist.serve.refusals import RefusedError
from aurist.serve.reviewing import Reviews
from aurist.serve.tidying import tidy

#: The fewest and the most processes that decode: one recording may not hold all others up, and each takes memory.
_FEWEST, _MOST = 2, 8


@dataclass
class Server:
    """One running server.

    Parameters
    ----------
    original
        The model that it was started with.
    options
        Of the server.
    state
        The folder of its jobs, and of uploads while they are used.
    """

    original: ModelFiles
    options: ServeOptions
    state: Path
    counters: Counters = field(default_factory=Counters)
    stopping: threading.Event = field(default_factory=threading.Event)
    label_errors: LabelErrors | None = None
    check: CheckFindings | None = None

    def __post_init__(self) -> None:
        uploads = self.state / "uploads"
        remove_folder(uploads)  # of a server that was killed
        uploads.mkdir(parents=True)
        limits = self.options.limits
        processes = min(max(available_cores(self.options.jobs), _FEWEST), _MOST)
        self.decoders = Decoders(limits, processes, lambda: self.engine.needs, self.counters)
        self.models = Models(self.original, self.state, self.options.jobs)
        self.engine = Engine(
            self.models.current,
            uploads / "features",
            self.counters,
            waiting=limits.waiting,
            jobs=self.options.jobs,
            coming=self.decoders.clips,
        )
        self.jobs = Jobs(self.models, self.state / "jobs", limits.jobs, self.options.jobs)
        self.live = LiveSessions(self.models, self.state / "live", self.options)
        self.reviews = Reviews(self.models, self.jobs, self.live, self.options.reviews)
        self.decisions = Decisions(self.state)
        self.improving = Improving(self.models, self.reviews, self.decisions, self.state)
        self.model = self._describe()

    @property
    def files(self) -> ModelFiles:
        """The model in use."""
        return self.models.current

    def use(self, folder: Path | None) -> None:
        """Predict with another model, which is loaded before the first request gets it; None: the first one."""
        files = self.original if folder is None else open_model(folder)
        self.engine.use(files)
        if folder is None:
            self.models.use_original()
        else:
            self.models.use(folder)
        self.model = self._describe()

    def _describe(self) -> Model:
        """Describe the model in use, by the name of the first one."""
        files = self.models.current
        name = self.original.folder.resolve().name
        return describe(
            files, name if files is self.original else f"{name} + {files.folder.parent.name.lstrip('0')}"
        )

    def start(self) -> None:
        """Load the model, and go on with the jobs of an earlier server."""
        self.engine.load()
        self.tidy()
        self.jobs.finished = self.tidy
        self.jobs.start()
        self.improving.go_on()

    def warm(self) -> None:
        """Start a process that decodes, and load what it computes with: the first request need not wait for it."""
        with suppress(RefusedError, OSError), self.temporary_folder() as folder:
            noise = self.engine.noise(folder)
            self.decoders.decode(noise.name, noise.file, folder / "decoded.wav", whole=True)

    def tidy(self) -> None:
        """Delete old results beyond the limits."""
        try:
            tidy(self.jobs, self.live, self.options.limits)
        except (AuristError, OSError) as error:  # another program may hold a file: the next time will do
            logger.warning(f"old results were not deleted: {error}")

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
        self.live.close()
        self.jobs.close()
        self.improving.close()
        self.engine.close()
        self.decoders.close()
        remove_folder(self.state / "uploads")


def server_of(request: Request) -> Server:
    """Give the server that serves a request."""
    server: Server = request.app.state.server
    return server


def run_with_data(server: Server) -> RunFolder:
    """Give the run that the server was started with.

    Raises
    ------
    RefusedError
        If it is an exported model: the training data is not with it.
    """
    if server.original.run is None:
        raise RefusedError(
            409,
            "needs_run",
            "This is an exported model, without the data that it was fitted on. Start the server with the run that it "
            "was exported from: aurist serve RUN.",
        )
    return server.original.run


def state_folder(files: ModelFiles, options: ServeOptions) -> Path:
    """Give the folder of the jobs of a model."""
    return options.state or default_cache_dir() / "serve" / files.key()


def describe(files: ModelFiles, name: str) -> Model:
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
        name=name,
        key=files.key(),
        classes=list(files.spec.task.classes),
        multilabel=files.spec.task.multilabel,
        window=files.spec.window,
        score=Score(metric=metric, value=score.score, low=low, high=high),
        is_run=files.run is not None,
        version=__version__,
    )
