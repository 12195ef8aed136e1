"""Networks by their settings: shapes, weights from files, and what is said of those that cannot be."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from aurist.errors import ConfigError, RunError
from aurist.nets.build import build_network, count_parameters
from aurist.nets.config import NetworkConfig
from aurist.nets.files import load_weights, save_weights


def build(
    backbone: str = "resnet18", image: tuple[int, int, int] = (1, 64, 96), **settings: object
) -> nn.Module:
    config = NetworkConfig(backbone, **settings)  # type: ignore[arg-type]
    return build_network(config, image, 5, sample_rate=22050)


@pytest.mark.parametrize("head", ["linear", "rfcx", "attention"])
@pytest.mark.parametrize("pool", ["avg", "max", "avgmax"])
def test_every_head_answers_for_every_clip(head: str, pool: str) -> None:
    network = build(head=head, pool=pool).eval()
    x = torch.randn(3, 1, 64, 96)
    logits = network(x)
    assert logits.shape == (3, 5)
    assert torch.allclose(network(x[:1]), logits[:1], atol=1e-4)


@pytest.mark.parametrize(
    ("backbone", "image", "parameters"),
    [
        # torchvision's and timm's own counts, less the classifier and two of three input channels
        ("resnet50", (1, 128, 1876), 25_557_032 - 1000 * 2049 - 2 * 64 * 49),
        ("densenet121", (1, 128, 646), 7_978_856 - 1000 * 1025 - 2 * 64 * 49),
        ("inception_resnet_v2", (1, 128, 646), 55_843_464 - 1000 * 1537 - 2 * 32 * 9),
        ("vgg16_bn", (1, 128, 130), 0),
    ],
)
def test_published_networks_have_their_published_size(
    backbone: str, image: tuple[int, int, int], parameters: int
) -> None:
    network = build(backbone, image)
    if backbone == "vgg16_bn":  # the convolutions of torchvision's vgg16_bn.features
        parameters = sum(
            9 * a * b + 3 * b
            for a, b in zip(
                [1, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512],
                [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512],
                strict=True,
            )
        )
    head = sum(p.numel() for p in network.head.parameters())  # type: ignore[union-attr, operator]
    assert count_parameters(network) - head == parameters


def test_a_small_image_is_refused_with_what_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"64 rows and 400 frames.*75 of each"):
        build("inception_resnet_v2", (1, 64, 400))
    build("inception_resnet_v2", (1, 75, 75))


def test_a_network_that_makes_no_map_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"vit_tiny_patch16_224 .*(convolutional|cannot)"):
        build("vit_tiny_patch16_224", (1, 224, 224))


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(ConfigError, match="resnet18"):
        build("resnet_18")


@pytest.mark.parametrize("init", ["xavier", "he"])
def test_first_weights_have_the_published_spread(init: str) -> None:
    torch.manual_seed(0)
    weight = build(init=init).body.layer3[0].conv1.weight.detach()  # type: ignore[union-attr, index]
    fan_in, fan_out = 9 * weight.shape[1], 9 * weight.shape[0]
    expected = (2 / (fan_in + fan_out)) ** 0.5 if init == "xavier" else (2 / fan_in) ** 0.5
    assert float(weight.std()) == pytest.approx(expected, rel=0.02)
    if init == "xavier":
        assert float(weight.abs().max()) <= (6 / (fan_in + fan_out)) ** 0.5


class TestWeightsOfAFile:
    @pytest.fixture
    def colour(self) -> nn.Module:
        torch.manual_seed(1)
        return timm.create_model("resnet18", num_classes=7).eval()

    @pytest.mark.parametrize("kind", ["safetensors", "pth", "wrapped"])
    def test_they_are_the_first_weights(self, tmp_path, colour: nn.Module, kind: str) -> None:
        path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
        state = colour.state_dict()
        if kind == "safetensors":
            save_file(state, path)
        else:
            torch.save({"state_dict": state} if kind == "wrapped" else state, path)
        network = build(weights=str(path)).eval()
        grey = torch.randn(2, 1, 64, 96)
        # an image that is the same in all colours is what the summed first convolution sees
        expected = colour.forward_features(grey.expand(-1, 3, -1, -1))  # type: ignore[operator]
        assert torch.allclose(network.body(grey), expected, atol=1e-4)  # type: ignore[operator]

    def test_a_network_of_ones_own_lends_its_body(self, tmp_path) -> None:
        first = build(head="rfcx")
        save_weights(tmp_path / "own.safetensors", first)
        second = build(head="linear", weights=str(tmp_path / "own.safetensors"))
        assert _same(first.body.state_dict(), second.body.state_dict())  # type: ignore[union-attr]

    def test_another_network_is_refused_by_name_of_layer(self, tmp_path, colour: nn.Module) -> None:
        save_file(colour.state_dict(), tmp_path / "w.safetensors")
        with pytest.raises(ConfigError, match=r"(?s)another network.*layer1\.0\.conv3\.weight: missing"):
            build("resnet50", weights=str(tmp_path / "w.safetensors"))

    @pytest.mark.parametrize("name", ["none.pth", "bad.pth", "bad.safetensors", "number.pth"])
    def test_what_cannot_be_read_is_said(self, tmp_path, name: str) -> None:
        (tmp_path / "bad.pth").write_bytes(b"no weights")
        (tmp_path / "bad.safetensors").write_bytes(b"no weights")
        torch.save(3, tmp_path / "number.pth")
        with pytest.raises(ConfigError, match=r"network\.weights: .*" + name):
            build(weights=str(tmp_path / name))

    def test_a_frozen_body_stays_as_it_is(self, tmp_path, colour: nn.Module) -> None:
        save_file(colour.state_dict(), tmp_path / "w.safetensors")
        network = build(weights=str(tmp_path / "w.safetensors"), frozen=True).train()
        before = {k: v.clone() for k, v in network.body.state_dict().items()}  # type: ignore[union-attr]
        optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
        network(torch.randn(4, 1, 64, 96)).square().sum().backward()
        optimizer.step()
        assert _same(before, network.body.state_dict())  # type: ignore[union-attr]
        assert {n for n, p in network.named_parameters() if p.requires_grad} == {
            "head.classifier.weight",
            "head.classifier.bias",
        }


class TestSavedWeights:
    def test_they_come_back(self, tmp_path) -> None:
        first, second = build(), build()
        save_weights(tmp_path / "w.safetensors", first)
        load_weights(tmp_path / "w.safetensors", second)
        assert _same(first.state_dict(), second.state_dict())

    def test_those_of_another_network_are_refused(self, tmp_path) -> None:
        save_weights(tmp_path / "w.safetensors", build("resnet34"))
        with pytest.raises(RunError, match="another network"):
            load_weights(tmp_path / "w.safetensors", build())

    def test_a_damaged_file_is_named(self, tmp_path) -> None:
        save_weights(tmp_path / "w.safetensors", build())
        (tmp_path / "w.safetensors").write_bytes((tmp_path / "w.safetensors").read_bytes()[:1000])
        with pytest.raises(RunError, match=r"w\.safetensors is damaged"):
            load_weights(tmp_path / "w.safetensors", build())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head": "gru"}, "head is 'gru'"),
        ({"dropout": 1.0}, "dropout"),
        ({"backbone": "mfcc_cnn", "pool": "max"}, "does not use: pool = 'max'"),
        ({"backbone": "transformer:x", "init": "he"}, "does not use: init = 'he'"),
        ({"frozen": True}, "would keep random weights"),
        ({"pretrained": True, "weights": "w.pth"}, "Use only one of the two"),
        ({"backbone": "transformer:"}, "must be a name"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        NetworkConfig(**settings)  # type: ignore[arg-type]


def _same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
