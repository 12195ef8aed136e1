"""Mixtures of clips, by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from aurist.augment.batch import Pairs, between_class, cutmix, draw_pairs, mixup  # noqa: E402
from aurist.errors import ConfigError  # noqa: E402

SWAP = np.array([1, 0])
TARGETS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])


def pairs(*share: float, position: float = 0.5) -> Pairs:
    return Pairs(SWAP, np.array(share, np.float32), np.full((2, 2), position, np.float32))


def test_mixup():
    x = torch.tensor([[1.0, 1.0], [3.0, 5.0]])
    mixed, targets = mixup(x, TARGETS, pairs(0.25, 1.0))
    assert torch.allclose(mixed, torch.tensor([[2.5, 4.0], [3.0, 5.0]]))
    assert torch.allclose(targets, torch.tensor([[0.25, 0.75, 1.0], [0.0, 1.0, 1.0]]))
    _, union = mixup(x, TARGETS, pairs(0.25, 1.0), labels="union")
    assert torch.equal(union, torch.ones(2, 3))
    assert torch.equal(x, torch.tensor([[1.0, 1.0], [3.0, 5.0]]))


def test_cutmix_counts_what_it_cut():
    images = torch.stack([torch.zeros(1, 8, 10), torch.ones(1, 8, 10)])
    mixed, targets = cutmix(images, TARGETS, pairs(0.75, 0.0))
    assert mixed[0].sum() == 4 * 5  # half of each side
    assert torch.equal(mixed[0, 0, 2:6, 2:7], torch.ones(4, 5))
    assert torch.allclose(targets[0], torch.tensor([0.75, 0.25, 1.0]))
    assert not mixed[1].any()
    assert torch.equal(targets[1], TARGETS[0])


def test_between_class_shares_are_of_loudness():
    rng = np.random.default_rng(0)
    loud = rng.standard_normal(8000).astype(np.float32)
    waves = torch.from_numpy(np.stack([loud, 0.01 * np.roll(loud, 4000)]))
    mixed, targets = between_class(waves, TARGETS, pairs(0.5, 0.5), 8000)
    assert torch.allclose(targets, torch.tensor([[0.5, 0.5, 1.0]] * 2))
    parts = np.linalg.lstsq(waves.numpy().T, mixed[0].numpy(), rcond=None)[0]
    # either is heard equally loud, by its loudest tenth of a second
    levels = [np.sqrt((w.reshape(10, 800) ** 2).mean(axis=1).max()) for w in waves.numpy()]
    assert parts[0] * levels[0] == pytest.approx(parts[1] * levels[1], rel=1e-3)
    assert parts[0] ** 2 + parts[1] ** 2 == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 1.0, 0.3])
def test_between_class_of_silence_is_finite(share):
    waves = torch.stack([torch.zeros(1000), torch.ones(1000)])
    mixed, targets = between_class(waves, TARGETS, pairs(share, share), 8000)
    assert torch.isfinite(mixed).all()
    assert torch.allclose(targets[0], share * TARGETS[0] + (1 - share) * TARGETS[1])
    if share == 1.0:
        assert torch.equal(mixed, waves)


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 6), alpha=st.floats(0.01, 5), seed=st.integers(0, 2**32))
def test_whatever_is_drawn(n, alpha, seed):
    drawn = draw_pairs(np.random.default_rng(seed), n, alpha)
    again = draw_pairs(np.random.default_rng(seed), n, alpha)
    assert np.array_equal(drawn.partner, again.partner)
    assert np.array_equal(drawn.share, again.share)
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.random((n, 1, 5, 7), dtype=np.float32))
    y = torch.nn.functional.one_hot(torch.arange(n) % 3, 3).float()
    kept = x.clone()
    for mixed, targets in (mixup(x, y, drawn), cutmix(x, y, drawn)):
        assert mixed.shape == x.shape
        assert torch.allclose(targets.sum(dim=1), torch.ones(n))
        assert (targets >= 0).all()
        assert mixed.min() >= x.min() - 1e-6
        assert mixed.max() <= x.max() + 1e-6
    assert torch.equal(x, kept)


def test_errors():
    with pytest.raises(ConfigError, match="alpha is 0"):
        draw_pairs(np.random.default_rng(0), 2, 0)
    with pytest.raises(ConfigError, match="drawn for 2"):
        mixup(torch.zeros(3, 1), torch.zeros(3, 1), pairs(0.5, 0.5))
    with pytest.raises(ConfigError, match="labels is 'both'"):
        mixup(torch.zeros(2, 1), TARGETS, pairs(0.5, 0.5), labels="both")
