"""Layers by their definitions: shapes of the published MFCC network, heads, losses, weight decay."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor, nn
from torch.nn import functional

from aurist.errors import ConfigError
from aurist.nets.build import ImageNetwork, build_network
from aurist.nets.config import NetworkConfig
from aurist.nets.files import save_weights
from aurist.nets.heads import AttentionHead, FrameHead, build_head, framewise
from aurist.nets.layers import freeze_layers, layer_numbers, rates_by_layer
from aurist.nets.losses import class_weights, loss_function, to_proba
from aurist.nets.mel_cnn import MelCnn
from aurist.nets.parameters import parameter_groups
from aurist.nets.vgg_mfcc import MfccCnn


class TestMfccCnn:
    def test_the_maps_have_the_published_shapes(self) -> None:
        network, seen = MfccCnn(1, (20, 1231), 8), []
        for block in range(1, 7):
            network.get_submodule(f"block{block}").register_forward_hook(
                lambda _module, _given, out: seen.append(tuple(out.shape[1:]))
            )
        assert network(torch.zeros(1, 1, 20, 1231)).shape == (1, 8)
        assert seen == [
            (64, 10, 616),
            (160, 5, 308),
            (128, 3, 154),
            (128, 2, 77),
            (128, 1, 39),
            (128, 1, 20),
        ]
        assert network.embed(torch.zeros(1, 1, 20, 1231)).shape == (1, 64)

    def test_another_length_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="20 rows and 1231 frames, but got 20 and 99"):
            MfccCnn(1, (20, 1231), 8)(torch.zeros(1, 1, 20, 99))


class TestHeads:
    def test_the_rfcx_head_is_the_published_one(self) -> None:
        head = build_head("rfcx", 2048, 24)
        assert [type(layer) for layer in head.hidden] == [  # type: ignore[union-attr]
            nn.BatchNorm1d,
            nn.Dropout,
            nn.Linear,
            nn.ReLU,
            nn.BatchNorm1d,
            nn.Dropout,
        ]
        assert (
            sum(p.numel() for p in head.parameters()) == 2 * 2048 + 2048 * 1024 + 1024 + 2 * 1024 + 1025 * 24
        )

    def test_attention_weighs_the_answers_of_the_frames(self) -> None:
        torch.manual_seed(0)
        head = AttentionHead(6, 3, "avg", 0.5).eval()
        x = torch.randn(2, 6, 4, 10)
        frames = head.framewise(x)
        assert frames.shape == (2, 10, 3)
        answer = head(x)
        assert (answer >= frames.amin(1) - 1e-6).all() and (answer <= frames.amax(1) + 1e-6).all()
        nn.init.zeros_(head.classifier_attention.weight)
        assert torch.allclose(head(x), frames.mean(1), atol=1e-6)

    def test_the_loudest_frame_answers(self) -> None:
        head = build_head("loudest", 6, 3).eval()
        assert isinstance(head, FrameHead)
        x = torch.randn(2, 6, 4, 10)
        assert torch.equal(head(x), head.framewise(x).amax(1))

    @pytest.mark.parametrize("head", ["attention", "loudest"])
    def test_a_network_answers_for_the_clip_and_its_frames_at_once(self, head: str) -> None:
        torch.manual_seed(0)
        network = build_network(NetworkConfig("mel_cnn", head=head), (1, 64, 200), 3, sample_rate=8000).eval()
        assert isinstance(network, ImageNetwork)
        x = torch.randn(2, 1, 64, 200)
        logits = network.with_frames(x)
        assert logits.shape == (2, 1 + 12, 3)
        assert torch.allclose(logits[:, 0], network(x), atol=1e-6)
        assert torch.allclose(logits[:, 1:], framewise(network.head, network.body(x)), atol=1e-6)

    def test_heads_that_pool_time_cannot_tell_when(self) -> None:
        with pytest.raises(ConfigError, match="attention"):
            framewise(build_head("linear", 6, 3), torch.zeros(1, 6, 2, 2))


class TestLosses:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0], [0.3, 0.1, 0.2]])
    label = torch.tensor([0, 1, 2])
    one = torch.ones(3)

    @property
    def hot(self) -> Tensor:
        return functional.one_hot(self.label, 3).float()

    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_cross_entropy_is_torchs(self, smoothing: float) -> None:
        loss = loss_function("cross_entropy", label_smoothing=smoothing)(
            self.logits, self.hot, None, self.one
        )
        expected = functional.cross_entropy(self.logits, self.label, label_smoothing=smoothing)
        assert loss == pytest.approx(float(expected), abs=1e-6)

    def test_classes_that_share_a_clip_share_its_weight(self) -> None:
        both = torch.tensor([[1.0, 1.0, 0.0]])
        loss = loss_function("cross_entropy")(self.logits[:1], both, None, torch.ones(1))
        log = functional.log_softmax(self.logits[:1], 1)[0]
        assert loss == pytest.approx(float(-(log[0] + log[1]) / 2), abs=1e-6)

    def test_clips_weigh_as_told(self) -> None:
        loss = loss_function("cross_entropy")(self.logits, self.hot, None, torch.tensor([1.0, 0.0, 0.0]))
        assert loss == pytest.approx(
            float(functional.cross_entropy(self.logits[:1], self.label[:1])), abs=1e-6
        )

    def test_focal_is_as_published(self) -> None:
        proba = self.logits.softmax(1)[torch.arange(3), self.label]
        expected = (-((1 - proba) ** 2) * proba.log()).mean()
        loss = loss_function("focal", gamma=2.0)(self.logits, self.hot, None, self.one)
        assert loss == pytest.approx(float(expected), abs=1e-6)

    def test_binary_focal_is_as_published(self) -> None:
        proba = self.logits.sigmoid()
        right = torch.where(self.hot > 0, proba, 1 - proba)
        expected = (-((1 - right) ** 2) * right.log()).mean()
        loss = loss_function("bce_focal", gamma=2.0)(self.logits, self.hot, None, self.one)
        assert loss == pytest.approx(float(expected), abs=1e-6)

    def test_what_is_unknown_has_no_part(self) -> None:
        is_known = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
        logits = self.logits.clone().requires_grad_()
        loss = loss_function("bce")(logits, self.hot, is_known, self.one)
        loss.backward()
        assert logits.grad is not None
        assert (logits.grad[is_known == 0] == 0).all() and (logits.grad[is_known == 1] != 0).all()
        each = functional.binary_cross_entropy_with_logits(self.logits, self.hot, reduction="none")
        assert float(loss.detach()) == pytest.approx(float(each[is_known == 1].mean()), abs=1e-6)

    def test_class_weights_are_scikit_learns(self) -> None:
        label = np.array([0, 0, 0, 1, 1, 3])
        weights = class_weights(functional.one_hot(torch.from_numpy(label), 4).float(), torch.ones(6))
        expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=label)
        assert np.allclose(weights.numpy()[[0, 1, 3]], expected)
        assert weights[2] == 0

    def test_probabilities_sum_to_one_or_stand_apart(self) -> None:
        assert torch.allclose(to_proba(self.logits, multilabel=False).sum(1), torch.ones(3))
        assert torch.allclose(to_proba(self.logits, multilabel=True), self.logits.sigmoid())

    def test_an_unknown_loss_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="hinge"):
            loss_function("hinge")


class TestWeightDecay:
    def test_a_penalty_of_keras_is_twice_as_large_a_decay(self) -> None:
        layer = nn.Linear(3, 2, bias=False)
        before = layer.weight.detach().clone()
        (1e-3 * layer.weight.square().sum()).backward()
        assert layer.weight.grad is not None
        gradient = layer.weight.grad.clone()
        layer.weight.grad.zero_()
        torch.optim.SGD(parameter_groups(layer, 2e-3), lr=1.0).step()
        assert torch.allclose(before - layer.weight.detach(), gradient, atol=1e-8)

    def test_layers_have_their_own(self) -> None:
        network = MfccCnn(1, (20, 60), 4)
        groups = parameter_groups(network, {"block2": 2e-3, "block4": 2e-3})
        by_decay = {group["weight_decay"]: {id(p) for p in group["params"]} for group in groups}
        convolutions = [
            network.get_submodule(name) for name in ("block2.0", "block2.2", "block4.0", "block4.2")
        ]
        assert by_decay[2e-3] == {id(conv.weight) for conv in convolutions}
        assert sum(map(len, by_decay.values())) == len(list(network.parameters()))

    def test_norms_and_biases_have_none(self) -> None:
        network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        groups = {g["weight_decay"]: len(g["params"]) for g in parameter_groups(network, 0.1)}
        assert groups == {0.1: 1, 0.0: 3}

    @pytest.mark.parametrize(("decay", "message"), [({"blok2": 0.1}, "block2"), (-1.0, "0 or more")])
    def test_what_makes_no_sense_is_refused(self, decay: object, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            parameter_groups(MfccCnn(1, (20, 60), 4), decay)  # type: ignore[arg-type]


class TestMelCnn:
    def test_it_shrinks_an_image_by_16(self) -> None:
        body = MelCnn(2).eval()
        assert body(torch.zeros(1, 2, 64, 87)).shape == (1, 256, 4, 5)
        convolutions = 25 * 2 * 32 + 9 * (
            32 * 32 * 2 + 32 * 64 + 64**2 + 64 * 128 + 128**2 + 128 * 256 + 256**2
        )
        assert sum(p.numel() for p in body.parameters() if p.dim() == 4) == convolutions

    def test_it_takes_its_weights_from_a_network_of_its_kind(self, tmp_path: Path) -> None:
        config = NetworkConfig("mel_cnn")
        trained = build_network(config, (1, 64, 87), 10, sample_rate=44100)
        save_weights(tmp_path / "own.safetensors", trained)
        again = NetworkConfig("mel_cnn", weights=str(tmp_path / "own.safetensors"), frozen=True)
        other = build_network(again, (1, 64, 87), 3, sample_rate=44100).eval()
        x = torch.randn(2, 1, 64, 87)
        assert torch.allclose(other.body(x), trained.eval().body(x), atol=1e-5)  # type: ignore[operator, union-attr]


class TestLayers:
    def test_layers_of_timm_of_transformers_and_of_others(self) -> None:
        timm = pytest.importorskip("timm")
        resnet = layer_numbers(timm.create_model("test_resnet", num_classes=0))
        assert resnet["conv1.0.weight"] == 0 and max(resnet, key=lambda name: resnet[name]).startswith(
            "layer4"
        )

        class Encoder(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.patch = nn.Linear(2, 2)
                self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
                self.norm = nn.LayerNorm(2)

        numbers = layer_numbers(Encoder())
        assert [numbers[name] for name in ("patch.bias", "layers.0.bias", "layers.1.bias", "norm.bias")] == [
            0,
            1,
            2,
            3,
        ]
        assert set(layer_numbers(MelCnn(1)).values()) == set(
            range(len(set(layer_numbers(MelCnn(1)).values())))
        )

    def test_frozen_layers_keep_weights_and_statistics(self) -> None:
        network = build_network(NetworkConfig("resnet18"), (1, 64, 64), 3, sample_rate=8000)
        body = network.body
        freeze_layers(body, 2)
        numbers = layer_numbers(body)
        learning = {numbers[name] for name, parameter in body.named_parameters() if parameter.requires_grad}
        assert learning == {max(numbers.values()) - 1, max(numbers.values())}
        before = {name: value.clone() for name, value in body.state_dict().items()}
        network.train()
        network(torch.randn(4, 1, 64, 64)).sum().backward()
        changed = {name for name, value in body.state_dict().items() if not torch.equal(before[name], value)}
        assert changed and all(numbers[_weight_of(name)] in learning for name in changed)
        freeze_layers(body, None)
        assert all(parameter.requires_grad for parameter in body.parameters())
        assert network.train() and all(module.training for module in network.modules())

    def test_each_layer_learns_at_a_share_of_the_rate_after_it(self) -> None:
        network = build_network(NetworkConfig("mel_cnn"), (1, 64, 64), 3, sample_rate=8000)
        shares = rates_by_layer(network, 0.5)
        body = [share for name, share in shares.items() if name.startswith("body.")]
        assert max(body) == 0.5 and min(body) == 0.5 ** len(set(body)) and len(set(body)) > 1
        assert {share for name, share in shares.items() if not name.startswith("body.")} == {1.0}
        groups = parameter_groups(network, 0.01, 0.5)
        assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
        assert {group["share"] for group in groups} == {1.0, *body}
        assert {group["share"] for group in parameter_groups(network, 0.01)} == {1.0}


def _weight_of(statistic: str) -> str:
    """Return the weight of the norm that a statistic belongs to."""
    return statistic.rpartition(".")[0] + ".weight"
