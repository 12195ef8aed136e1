"""The JSON of the server's answers, as types: the documentation of the interface is made from them."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """The reason of a refusal."""

    code: str = Field(description="A word for programs.", examples=["undecodable"])
    message: str = Field(description="Sentences for people.")


class Refusal(BaseModel):
    """The body of all answers of status 4xx and 5xx."""

    error: Problem


class Prediction(BaseModel):
    """The prediction of one clip."""

    name: str = Field(description="The name that the client gave.", examples=["bird.wav"])
    seconds: float = Field(description="The length of the clip.", examples=[5.0])
    labels: list[str] = Field(
        description="The most probable class; of a model with several labels per clip, all classes that reach their "
        "thresholds. Empty if the clip could not be used.",
        examples=[["wren"]],
    )
    probabilities: dict[str, float] = Field(description="By class.", examples=[{"wren": 0.93, "robin": 0.07}])
    likeness: float | None = Field(
        description="The share of training clips that are at least as unlike the others: 0.01 means one of a hundred.",
        examples=[0.41],
    )
    error: str | None = Field(default=None, description="Why the clip could not be used.")
    note: str = Field(default="", description="A note on damage.")


class Predictions(BaseModel):
    """The predictions of the clips of a request, in its order."""

    model: str = Field(description="The key of the model.")
    predictions: list[Prediction]


class Score(BaseModel):
    """A score, with the bounds of its 95% interval."""

    metric: str = Field(examples=["accuracy"])
    value: float = Field(examples=[0.91])
    low: float | None
    high: float | None


class Model(BaseModel):
    """The model that the server has loaded."""

    name: str = Field(description="The name of its folder.", examples=["run"])
    key: str = Field(description="Changes when the model changes.")
    classes: list[str]
    multilabel: bool = Field(description="True if a clip may have several labels.")
    window: float | None = Field(
        description="Seconds of the windows that it was fitted on; null if it was fitted on whole clips."
    )
    score: Score = Field(description="On clips that its models were not fitted on.")
    is_run: bool = Field(description="True for a run with its training data, False for an exported model.")
    version: str = Field(description="The version of aurist.")


class State(BaseModel):
    """Whether the server can answer."""

    status: str = Field(examples=["ok"])


class JobSound(BaseModel):
    """A recording of a job."""

    name: str = Field(description="The name that the client gave; repeated names get #2, #3 ...")
    seconds: float
    sample_rate: int
    note: str = Field(default="", description="A note on damage.")


class JobState(BaseModel):
    """The progress of a detection job."""

    id: str = Field(examples=["0f3c9a6d2b7e8145"])
    state: str = Field(description="waiting, running, done or failed.", examples=["running"])
    created: float = Field(description="Seconds since 1970.")
    message: str = Field(description="Why it failed, or which of its recordings did.")
    window: float = Field(description="Seconds of a window.")
    overlap: float = Field(description="Seconds that windows overlap.")
    seconds: float = Field(description="Seconds of sound in all.")
    seconds_done: float = Field(description="Seconds of sound that are scored.")
    recordings: list[JobSound]


class Event(BaseModel):
    """An event in a recording."""

    path: str = Field(description="The name of the recording.")
    start: float = Field(description="In seconds.")
    end: float = Field(description="In seconds.")
    label: str
    score: float


class Events(BaseModel):
    """The events of a job."""

    events: list[Event]
    thresholds: dict[str, float] = Field(description="By class, the lowest score of an event.")


class Probabilities(BaseModel):
    """The probabilities of the classes in a recording over time."""

    step: float = Field(description="Seconds from one value to the next.")
    start: float = Field(description="Seconds at which the first value begins.")
    highest: dict[str, float] = Field(description="By class, the highest probability in the recording.")
    values: dict[str, list[float]] = Field(description="By class, the highest probability in each step.")
