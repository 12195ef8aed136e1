"""Transformers, by small ones made here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from aurist.errors import ConfigError
from aurist.nets.build import build_network
from aurist.nets.config import NetworkConfig
from aurist.nets.files import load_weights, save_weights

transformers = pytest.importorskip("transformers", reason="needs the extra 'pretrained'")


@pytest.fixture(scope="module")
def ast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ast")
    torch.manual_seed(0)
    config = transformers.ASTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_mel_bins=32,
        max_length=64,
    )
    transformers.ASTModel(config).save_pretrained(folder)
    transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=64).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def wav2vec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wav2vec")
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_stride=(5, 5),
        conv_kernel=(10, 10),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


WAVES = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 16000)).astype(np.float32) * 0.1)


def build(folder: Path, **settings: object) -> torch.nn.Module:
    config = NetworkConfig(f"transformer:{folder}", **settings)  # type: ignore[arg-type]
    return build_network(config, None, 5, sample_rate=16000)


@pytest.mark.parametrize("kind", ["ast", "wav2vec"])
def test_it_answers_with_the_weights_of_its_folder(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    network = build(folder).eval()
    assert network(WAVES).shape == (2, 5)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    inputs = extractor(list(WAVES.numpy()), sampling_rate=16000, return_tensors="pt")
    out = transformers.AutoModel.from_pretrained(folder).eval()(**inputs)
    expected = out.pooler_output if kind == "ast" else out.last_hidden_state.mean(1)
    assert torch.allclose(network.embed(WAVES), expected, atol=1e-5)  # type: ignore[operator]


def test_it_comes_back_without_its_folder(ast: Path, tmp_path: Path) -> None:
    network = build(ast).eval()
    save_weights(tmp_path / "w.safetensors", network)
    again = build_network(
        NetworkConfig("transformer:gone"),
        None,
        5,
        sample_rate=16000,
        load_weights=False,
        architecture=network.architecture(),  # type: ignore[operator]
    ).eval()
    load_weights(tmp_path / "w.safetensors", again)
    assert torch.allclose(again(WAVES), network(WAVES), atol=1e-6)


@pytest.mark.parametrize("frozen", [True, False])
def test_it_learns_whole_or_its_classifier_alone(ast: Path, frozen: bool) -> None:
    network = build(ast, frozen=frozen).train()
    network(WAVES).square().sum().backward()
    learns = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert learns == ({"classifier"} if frozen else {"body", "classifier"})


def test_another_sample_rate_is_refused(ast: Path) -> None:
    with pytest.raises(ConfigError, match=r"front\.sample_rate = 16000"):
        build_network(NetworkConfig(f"transformer:{ast}"), None, 5, sample_rate=44100)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be loaded"):
        build(tmp_path)
