"""ONNX files of networks give the numbers of torch."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from aurist.errors import ConfigError
from aurist.nets.build import ImageNetwork, build_network
from aurist.nets.config import NetworkConfig
from aurist.nets.onnx_file import write_onnx_network

slow = pytest.mark.slow
NETWORKS = [
    (NetworkConfig("mel_cnn"), (1, 64, 61)),
    (NetworkConfig("mel_cnn", head="rfcx", pool="avgmax"), (2, 64, 61)),
    (NetworkConfig("mel_cnn", head="attention"), (1, 64, 61)),
    (NetworkConfig("mel_cnn", head="loudest", pool="max"), (1, 64, 61)),
    (NetworkConfig("mfcc_cnn"), (1, 20, 87)),
    (NetworkConfig("resnet18"), (1, 64, 64)),
    (NetworkConfig("efficientnet_b0"), (1, 64, 64)),
    pytest.param(NetworkConfig("densenet121"), (1, 64, 64), marks=slow),
    pytest.param(NetworkConfig("inception_resnet_v2"), (1, 96, 96), marks=slow),
    pytest.param(NetworkConfig("vgg16_bn"), (1, 64, 64), marks=slow),
    pytest.param(NetworkConfig("resnet50", head="rfcx"), (1, 64, 64), marks=slow),
]


def trained(config: NetworkConfig, image: tuple[int, int, int]) -> nn.Module:
    """Build a network whose batch norms have seen something, as folding them changes nothing otherwise."""
    torch.manual_seed(0)
    network = build_network(config, image, 5, sample_rate=22050)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize(("config", "image"), NETWORKS, ids=lambda given: getattr(given, "backbone", None))
def test_equals_torch_at_any_batch(
    tmp_path: Path, config: NetworkConfig, image: tuple[int, int, int]
) -> None:
    network, path = trained(config, image), tmp_path / "network.onnx"
    write_onnx_network(path, network, image)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["logits", "frames"][: 1 + config.has_frames]
    assert session.get_inputs()[0].shape[1:] == list(image)
    for batch in (1, 3, 8):
        x = torch.randn(batch, *image)
        answers = session.run(None, {"image": x.numpy()})
        with torch.inference_mode():
            expected = network(x).numpy()
            scale = max(1.0, float(np.abs(expected).max()))
            assert answers[0] == pytest.approx(expected, abs=1e-5 * scale)
            if config.has_frames:
                assert isinstance(network, ImageNetwork)
                of_frames = network.with_frames(x)[:, 1:].numpy()
                assert answers[1].shape == of_frames.shape
                assert answers[1] == pytest.approx(of_frames, abs=1e-5 * scale)


def test_writes_nothing_but_the_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config, image = NETWORKS[2][0], NETWORKS[2][1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_onnx_network(tmp_path / "a.onnx", trained(config, image), image)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert logging.getLogger("torch").isEnabledFor(logging.WARNING)
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


def test_a_network_of_waves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="takes waves"):
        write_onnx_network(tmp_path / "a.onnx", nn.Linear(3, 2), None)
    assert not list(tmp_path.iterdir())
