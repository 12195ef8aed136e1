"""One ONNX file of a row of the leaderboard: from waveforms of any length to probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aurist.errors import ConfigError, RunError
from aurist.export.onnx_file.blending import (
    mean_of,
    pool,
    probabilities,
    weighted_sum,
    with_prior_correction,
    with_temperature,
)
from aurist.export.onnx_file.cutting import Cut, clean, cut, window_of
from aurist.export.onnx_file.networks import FoldNetworks, networks_of
from aurist.extras import need_extra
from aurist.features.spectrogram_config import SpectrogramConfig
from aurist.files import atomic_path
from aurist.machine import installed_version
from aurist.metrics import Interval
from aurist.models.network_files import InputSpec
from aurist.models.network_member import has_independent_classes
from aurist.onnx_graph import Graph
from aurist.plan import ENSEMBLE
from aurist.recipes import Window
from aurist.run import ModelFiles
from aurist.run.model_folder import read_description

if TYPE_CHECKING:
    from onnx import ModelProto

#: Names of the input and of the output.
WAVEFORM, PROBABILITIES = "waveform", "probabilities"
#: Files of this version are read by all engines of the last years.
_IR_VERSION = 8
#: Protocol buffers are smaller than this.
_LARGEST = 2_000_000_000


@dataclass(frozen=True)
class OnnxExport:
    """The result of an export to one ONNX file.

    Parameters
    ----------
    path, size
        The file and its bytes.
    sample_rate
        The sample rate that it needs, in Hz.
    n_networks
        The number of networks in it.
    score
        The score of the row, out of fold; None if it has none.
    metric
        The metric of the score.
    """

    path: Path
    size: int
    sample_rate: int
    n_networks: int
    score: Interval | None
    metric: str


@dataclass(frozen=True)
class _Windows:
    """Networks with these settings take the same images of the same windows."""

    front: SpectrogramConfig
    window: Window
    input_spec: InputSpec


def export_onnx(files: ModelFiles, output: Path, model: str = ENSEMBLE) -> OnnxExport:
    """Write a row of the leaderboard whose members are networks as one ONNX file.

    The input ``waveform`` is (batch, samples), float32 in [-1, 1], one channel, at the sample rate of the file's
    metadata; clips of a batch are equally long. Samples that are not finite count as zeros. The output
    ``probabilities`` is (batch, classes), float32. Windows, spectrograms, networks, pooling, weights and temperatures
    are in the file, resampling is not; training clips that come again are not recognised.

    Parameters
    ----------
    files
        Of a finished run, or of a model folder.
    output
        The file.
    model
        A row of the leaderboard.

    Raises
    ------
    ConfigError
        If there is no such row, or some of its members are no networks of spectrograms.
    RunError
        If files are missing or damaged, or the result would be too large.
    MissingExtraError
        If torch is not installed.
    """
    need_extra("networks", "One ONNX file of a model")
    folds = networks_of(files, model)
    rates = sorted({network.files.recipe.front.sample_rate for fold in folds for network in fold})
    if len(rates) > 1:
        raise ConfigError(
            f"The networks of {model} need sound at {' and '.join(map(str, rates))} Hz, but one file has one input: "
            "choose a network by model=."
        )
    graph = Graph()
    proba = _blended(graph, files, model, folds, clean(graph, WAVEFORM))
    score, metric_name = score_of(files, model)
    content = _model(graph, proba, len(files.spec.task.classes))
    for name, value in _metadata(files, model, folds, score, metric_name).items():
        entry = content.metadata_props.add()
        entry.key, entry.value = name, value
    if content.ByteSize() > _LARGEST:
        raise RunError(
            f"The networks of {model} are too large for one ONNX file of 2 GB: choose one of them by model=."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(output) as part:
        part.write_bytes(content.SerializeToString())
    n_networks = sum(len(net) for fold in folds for network in fold for net in network.files.weights)
    return OnnxExport(output, output.stat().st_size, rates[0], n_networks, score, metric_name)


def _blended(
    graph: Graph, files: ModelFiles, row: str, folds: Sequence[Sequence[FoldNetworks]], wave: str
) -> str:
    """Return the probabilities of a row: blended in each fold, averaged, corrected."""
    ensemble, temperatures = files.ensemble, files.ensemble.temperatures.get(row, {})
    multilabel = files.spec.task.multilabel
    pooled = _pooled(graph, files, [network for fold in folds for network in fold], wave)
    by_fold, at = [], 0
    for fold in folds:
        probas = [
            with_temperature(
                graph, pooled[at + i], temperatures.get(network.member, 1.0), multilabel=multilabel
            )
            for i, network in enumerate(fold)
        ]
        by_fold.append(weighted_sum(graph, probas, [network.weight for network in fold]))
        at += len(fold)
    proba = mean_of(graph, by_fold)
    if row != ENSEMBLE:
        return proba
    proba = with_temperature(graph, proba, ensemble.temperature, multilabel=multilabel)
    return with_prior_correction(graph, proba, ensemble.prior_correction)


def _pooled(graph: Graph, files: ModelFiles, networks: Sequence[FoldNetworks], wave: str) -> list[str]:
    """Return the probabilities of clips by the networks of each member and fold, (batch, n_classes) each."""
    task = files.spec.task
    settings = [_Windows(n.files.recipe.front, n.files.recipe.window, n.files.input_spec) for n in networks]
    out: dict[int, str] = {}
    for shared in dict.fromkeys(settings):
        numbers = [number for number, setting in enumerate(settings) if setting == shared]
        rate, n_samples = shared.front.sample_rate, shared.input_spec.n_samples
        cuts = cut(graph, wave, shared.window, n_samples, rate)
        logits = iter(_logits(graph, shared, [networks[number] for number in numbers], cuts))
        for number in numbers:
            network = networks[number]
            independent = has_independent_classes(network.files.recipe, task)
            seeds = [
                mean_of(
                    graph,
                    [
                        probabilities(
                            graph,
                            next(logits),
                            len(task.classes),
                            network.files.unseen,
                            multilabel=independent,
                        )
                        for _ in checkpoints
                    ],
                )
                for checkpoints in network.paths
            ]
            out[number] = pool(
                graph,
                mean_of(graph, seeds),
                cuts.used,
                network.pooling,
                len(task.classes),
                multilabel=task.multilabel,
            )
    return [out[number] for number in range(len(networks))]


def _logits(graph: Graph, shared: _Windows, networks: Sequence[FoldNetworks], cuts: Cut) -> list[str]:
    """Return the logits of all windows by every checkpoint, (n_windows, batch, n_classes) each: a loop over windows."""
    import onnx

    from aurist.nets.onnx_file import IMAGE, LOGITS
    from aurist.nets.onnx_front import FILTERS, SAMPLES, front_end_file

    front, n_samples = shared.front, shared.input_spec.n_samples
    filters = _fourier_filters(graph, front)
    body, number = Graph(graph), graph.new_name("number")
    samples = window_of(body, cuts, number, shared.window, n_samples, front.sample_rate)
    front_end = onnx.load_from_string(front_end_file(front, n_samples))
    image = body.insert(front_end, {SAMPLES: samples, FILTERS: filters}, IMAGE)
    paths = [path for network in networks for checkpoints in network.paths for path in checkpoints]
    logits = [body.insert(onnx.load(str(path)), {IMAGE: image}, LOGITS) for path in paths]
    return graph.loop(cuts.count, body, number, logits)


def _fourier_filters(graph: Graph, front: SpectrogramConfig) -> str:
    """Compute `aurist.nets.onnx_front.fourier_filters` in the graph: as constants they would take megabytes."""
    from onnx import TensorProto

    from aurist.features.filters import hann
    from aurist.nets.onnx_front import used_bins

    bins = graph.add("Reshape", graph.add("Range", *used_bins(front), 1), np.array([-1, 1]))
    turns = graph.add("Mod", graph.add("Mul", bins, graph.add("Range", 0, front.n_fft, 1)), front.n_fft)
    angles = graph.add(
        "Mul", graph.add("Cast", turns, to=TensorProto.DOUBLE), np.float64(2 * np.pi / front.n_fft)
    )
    both = graph.add("Concat", graph.add("Cos", angles), graph.add("Sin", angles), axis=0)
    windowed = graph.add("Cast", graph.add("Mul", both, hann(front.n_fft)), to=TensorProto.FLOAT)
    return graph.add("Unsqueeze", windowed, np.array([1]))


def _model(graph: Graph, proba: str, n_classes: int) -> ModelProto:
    from onnx import TensorProto, checker, helper

    from aurist.nets.onnx_file import OPSET

    graph.nodes.append(helper.make_node("Cast", [proba], [PROBABILITIES], to=TensorProto.FLOAT))
    content = helper.make_graph(
        graph.nodes,
        "aurist",
        [helper.make_tensor_value_info(WAVEFORM, TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["batch", n_classes])],
        list(graph.constants.values()),
    )
    model = helper.make_model(
        content,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="aurist",
        producer_version=installed_version("aurist"),
    )
    checker.check_model(model)
    return model


def score_of(files: ModelFiles, row: str) -> tuple[Interval | None, str]:
    """Return the score of a row out of fold, and its metric."""
    if files.run is None:
        scores = read_description(files.folder).scores
        return scores.rows.get(row), scores.metric
    board = files.run.leaderboard().set_index("model")
    if row not in board.index:
        return None, files.spec.task.metric
    score, low, high = (board[column].astype(float).to_dict()[row] for column in ("score", "low", "high"))
    return Interval(score, low, high), files.spec.task.metric


def _metadata(
    files: ModelFiles,
    row: str,
    folds: Sequence[Sequence[FoldNetworks]],
    score: Interval | None,
    metric_name: str,
) -> Mapping[str, str]:
    task = files.spec.task
    windows = {
        network.member: {
            "seconds": network.files.input_spec.n_samples / network.files.recipe.front.sample_rate,
            "pooling": network.pooling,
            "window": asdict(network.files.recipe.window),
            "front": asdict(network.files.recipe.front),
        }
        for fold in folds
        for network in fold
    }
    rate = folds[0][0].files.recipe.front.sample_rate
    return {
        "aurist": installed_version("aurist"),
        "description": f"{WAVEFORM}: (batch, samples), float32 in [-1, 1], one channel at {rate} Hz; resample other "
        f"sound before. {PROBABILITIES}: (batch, classes). Samples that are not finite count as zeros.",
        "sample_rate": str(rate),
        "classes": json.dumps(task.classes, ensure_ascii=False),
        "multilabel": json.dumps(task.multilabel),
        "thresholds": json.dumps(dict(files.thresholds.get(row, {}))),
        "model": row,
        "members": json.dumps(windows),
        "metric": metric_name,
        "score": json.dumps(None if score is None else asdict(score)),
    }
