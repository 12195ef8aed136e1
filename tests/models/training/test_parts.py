"""The parts of training: what is cut out of clips, how batches are made, the rate, what is kept."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.clips.read import read_clips
from aurist.features.spectrogram import Spectrogram
from aurist.features.waves import Waves, store_waves
from aurist.models.sound import Sound, window_length
from aurist.models.training.batches import Batches, LabelledAudio
from aurist.models.training.checkpoints import Checkpoint, drop_others, keep_best
from aurist.models.training.precision import choose_precision
from aurist.models.training.predict import window_batches
from aurist.models.training.prefetch import Prefetch
from aurist.models.training.schedule import optimizer, rate
from aurist.recipes import Recipe, Training, Window, recipe_from

RATE = 8000


def recipe_of(**parts: dict[str, object]) -> Recipe:
    front = {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 20}
    return recipe_from({"name": "r", "front": front, **parts}, "r")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings of 0.3 to 2 s, whose samples count up."""
    folder = tmp_path_factory.mktemp("sounds")
    for i, n in enumerate([2400, 4000, 8000, 12000, 16000]):
        sf.write(folder / f"{i}.wav", (np.arange(n) / 20000).astype(np.float32), RATE, subtype="FLOAT")
    return folder


def waves(folder: Path, margin: float = 0.0) -> Waves:
    paths = [str(folder / f"{i}.wav") for i in range(5)]
    clips = read_clips(pd.DataFrame({"path": paths}), labelled=False)
    return store_waves(clips, RATE, margin=margin, cache_dir=folder / "cache", jobs=1)


def spans(folder: Path, start: float, end: float, margin: float) -> Waves:
    table = pd.DataFrame({"path": [str(folder / "4.wav")], "start": [start], "end": [end]})
    clips = read_clips(table, labelled=False)
    return store_waves(clips, RATE, margin=margin, cache_dir=folder / "cache", jobs=1)


def read(sound: Sound, row: int, start: int) -> np.ndarray:
    out = np.full(sound.n_samples, np.nan, np.float32)
    sound.read(row, start, out)
    return out * 20000


class TestSound:
    def test_training_windows_are_anywhere_in_the_clip_and_never_beyond(self, folder: Path) -> None:
        sound = Sound(waves(folder), Window(seconds=0.25), 2000)
        rng = np.random.default_rng(0)
        starts = [sound.training_start(1, rng) for _ in range(300)]
        assert min(starts) >= 0 and max(starts) <= 2000
        assert min(starts) < 100 and max(starts) > 1900

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 4), st.integers(256, 6000), st.integers(1, 6000))
    def test_windows_of_a_prediction_cover_the_clip(
        self, folder: Path, row: int, length: int, hop: int
    ) -> None:
        sound = Sound(waves(folder), Window(hop=hop / RATE), length)
        starts, n = sound.starts(row), [2400, 4000, 8000, 12000, 16000][row]
        assert starts[0] == 0 and np.all(np.diff(starts) > 0) and np.all(np.diff(starts) <= max(hop, 1))
        assert n <= 1.02 * length or starts[-1] + length == n
        assert len(starts) == 1 or n > length

    def test_what_a_clip_is_too_short_for_is_silence_or_the_clip_again(self, folder: Path) -> None:
        silent = read(Sound(waves(folder), Window(), 4000), 0, 0)
        assert np.allclose(silent, np.r_[np.arange(2400), np.zeros(1600)], atol=1)
        again = read(Sound(waves(folder), Window(pad="repeat"), 4000), 0, 0)
        assert np.allclose(again, np.r_[np.arange(2400), np.arange(1600)], atol=1)

    def test_silent_windows_are_passed_over_where_there_are_others(self, tmp_path: Path) -> None:
        """A call of half a second in four seconds of next to nothing, a silent clip, and one without silence."""
        rng = np.random.default_rng(0)
        clips = np.zeros((3, 4 * RATE), np.float32)
        clips[0] = 1e-5 * rng.normal(size=4 * RATE)
        clips[0, 8000:12000] = 0.3 * rng.normal(size=4000)
        clips[2] = 0.1 * rng.normal(size=4 * RATE)
        paths = [str(tmp_path / f"{i}.wav") for i in range(3)]
        for path, y in zip(paths, clips, strict=True):
            sf.write(path, y, RATE, subtype="FLOAT")
        table = read_clips(pd.DataFrame({"path": paths}), labelled=False)
        stored = store_waves(table, RATE, cache_dir=tmp_path / "cache", jobs=1)
        plain, skipping = (
            Sound(stored, Window(seconds=0.5, skip_silence=skip), 4000) for skip in (False, True)
        )
        starts = skipping.starts(0)
        assert set(starts) < set(plain.starts(0)) and starts.min() >= 4000 and starts.max() < 12000
        assert all((skipping.starts(row) == plain.starts(row)).all() for row in (1, 2))
        drawn = np.array([skipping.training_start(0, rng) for _ in range(200)])
        is_loud = np.array([np.abs(read(skipping, 0, start)).max() > 100 for start in drawn])
        assert is_loud.mean() > 0.9 and np.ptp(drawn) > 3000  # a seventh of all windows are heard

    @pytest.mark.parametrize(("start", "end", "first"), [(0.9, 1.1, 4000), (0.0, 0.2, 0), (1.8, 2.0, 8000)])
    def test_a_centred_window_is_around_its_box_but_within_the_recording(
        self, folder: Path, start: float, end: float, first: int
    ) -> None:
        window = Window(seconds=1.0, place="centre")
        sound = Sound(spans(folder, start, end, margin=1.0), window, RATE)
        for begin in (sound.training_start(0, np.random.default_rng(0)), int(sound.starts(0)[0])):
            assert np.allclose(read(sound, 0, begin), first + np.arange(RATE), atol=1)

    def test_a_window_is_not_longer_than_any_clip(self, folder: Path) -> None:
        assert window_length(recipe_of(window={"seconds": 30.0}), waves(folder)) == 16000
        assert window_length(recipe_of(window={"seconds": 0.5}), waves(folder)) == 4000
        assert window_length(recipe_of(), waves(folder)) == 16000


AUGMENT: dict[str, object] = {
    "wave": [{"kind": "polarity"}],
    "spectrum": [{"kind": "pitch_shift", "semitones": [-2.0, 2.0]}],
    "image": [{"kind": "time_mask"}],
    "mixing": "mixup",
}


def batches(folder: Path, seed: int = 0, *, augment: dict[str, object] = AUGMENT) -> Batches:
    recipe = recipe_of(window={"seconds": 0.25}, augment=augment, training={"batch_size": 2})
    sound = Sound(waves(folder), recipe.window, 2000)
    part = LabelledAudio(sound, np.eye(5, dtype=np.float32), None, np.ones(5, np.float32))
    return Batches(part, recipe, Spectrogram(recipe.front), seed, torch.device("cpu"))


class TestBatches:
    def test_an_epoch_is_the_same_again_and_the_next_is_another(self, folder: Path) -> None:
        def x(seed: int, epoch: int) -> torch.Tensor:
            return torch.cat([call().x for call in batches(folder, seed).epoch(epoch, mixed=True)])

        assert torch.equal(x(0, 3), x(0, 3))
        assert not torch.equal(x(0, 3), x(0, 4))
        assert not torch.equal(x(0, 3), x(1, 3))

    def test_processes_share_each_batch(self, folder: Path) -> None:
        def labels(number: int, of: int) -> list[list[int]]:
            made = batches(folder, augment={})
            made.share = number, of
            return [call().targets.argmax(1).tolist() for call in made.epoch(1, mixed=False)]

        for whole, first, second in zip(labels(0, 1), labels(0, 2), labels(1, 2), strict=True):
            assert len(first) == len(second) == 1 and whole == first + second

    def test_threads_change_nothing(self, folder: Path) -> None:
        made = batches(folder)
        plain = [call().x for call in made.epoch(0, mixed=True)]
        ahead = [batch.x for batch in Prefetch(made.epoch(0, mixed=True), threads=2)]
        assert all(torch.equal(a, b) for a, b in zip(plain, ahead, strict=True))

    def test_a_clip_is_the_same_in_whatever_batch(self, folder: Path) -> None:
        made = batches(folder)
        alone = made.make(2, 0, np.array([3]), mixed=False).x
        among = made.make(2, 7, np.array([0, 3]), mixed=False).x
        assert torch.allclose(alone[0], among[1], atol=1e-6)

    def test_targets_are_mixed_as_images_are(self, folder: Path) -> None:
        each = [batches(folder).make(epoch, 0, np.array([0, 1]), mixed=True).targets for epoch in range(8)]
        assert all(torch.allclose(targets.sum(1), torch.ones(2)) for targets in each)
        assert any(0 < float(targets[0, 1]) < 1 for targets in each)
        assert torch.equal(
            batches(folder).make(0, 0, np.array([0, 1]), mixed=False).targets, torch.eye(5)[:2]
        )

    def test_all_clips_have_their_turn(self, folder: Path) -> None:
        made = batches(folder, augment={})
        seen = [
            call().targets.argmax(1).tolist() for epoch in range(4) for call in made.epoch(epoch, mixed=False)
        ]
        assert {label for batch in seen for label in batch} == set(range(5))
        assert len(made) == 2

    def test_what_is_predicted_is_never_augmented(self, folder: Path) -> None:
        made = batches(folder)
        sound, front = made.part.sound, Spectrogram(made.recipe.front)
        clip, start = sound.windows()
        images = torch.cat(
            [call() for call in window_batches(sound, front, clip, start, torch.device("cpu"))]
        )
        for position in (0, len(clip) - 1):
            wave = np.empty(sound.n_samples, np.float32)
            sound.read(int(clip[position]), int(start[position]), wave)
            assert torch.equal(images[position], front(torch.from_numpy(wave)[None])[0])


class TestAhead:
    def test_results_come_in_order_however_long_each_takes(self) -> None:
        def slow(i: int) -> int:
            time.sleep(0.02 * (i % 3 == 0))
            return i

        assert list(Prefetch([lambda i=i: slow(i) for i in range(12)], threads=3)) == list(range(12))  # type: ignore[misc]

    @pytest.mark.parametrize("threads", [0, 2])
    def test_an_error_reaches_who_asked(self, threads: int) -> None:
        def fails() -> int:
            raise ValueError("of a batch")

        with pytest.raises(ValueError, match="of a batch"):
            list(Prefetch([lambda: 1, fails, lambda: 2], threads))

    def test_waiting_is_counted(self) -> None:
        ahead = Prefetch([lambda: time.sleep(0.1)], threads=1)
        list(ahead)
        assert ahead.waited >= 0.09


class TestRate:
    def test_one_cycle_is_torchs(self) -> None:
        config = Training(schedule="one_cycle", warmup=0.3, lr=0.1)
        parameter = torch.nn.Parameter(torch.zeros(1))
        sgd = torch.optim.SGD([parameter], lr=1.0)
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            sgd, max_lr=1.0, total_steps=101, pct_start=31 / 101, div_factor=25, final_div_factor=1e9
        )
        expected = []
        for _ in range(101):
            expected.append(cycle.get_last_lr()[0])
            sgd.step()
            if len(expected) < 101:
                cycle.step()
        assert np.allclose([rate(config, step, 101, 10) for step in range(101)], expected, atol=1e-6)

    def test_inverse_is_keras_decay(self) -> None:
        config = Training(schedule="inverse", decay=0.01)
        assert [rate(config, step, 500, 10) for step in (0, 100, 300)] == [1, 0.5, 0.25]

    def test_steps_are_by_epochs(self) -> None:
        config = Training(schedule="step", decay=0.1, decay_epochs=2)
        rates = [rate(config, step, 100, 10) for step in (0, 19, 20, 39, 40)]
        assert np.allclose(rates, [1, 1, 0.1, 0.1, 0.01])

    def test_cosine_rises_in_a_line_and_falls_to_nothing(self) -> None:
        config = Training(schedule="cosine", warmup=0.1)
        rates = [rate(config, step, 101, 10) for step in range(101)]
        assert np.allclose(np.diff(rates[:11], 2), 0) and rates[10] == 1 and rates[100] < 1e-12
        assert rates[55] == pytest.approx(0.5)

    @pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
    def test_every_optimizer_learns(self, name: str) -> None:
        layer = torch.nn.Linear(3, 1)
        made = optimizer(layer, Training(optimizer=name, lr=0.01, weight_decay=0.0))
        x = torch.ones(4, 3)
        losses = []
        for _ in range(60):
            loss = (layer(x) - 1).square().mean()
            made.zero_grad()
            loss.backward()
            made.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]


def test_the_best_checkpoints_are_kept_and_ties_go_to_the_lower_loss_then_the_earlier(tmp_path: Path) -> None:
    network, kept = torch.nn.Linear(1, 1), []
    for epoch, (score, loss) in enumerate([(0.5, 1.0), (0.7, 0.9), (0.7, 0.8), (0.6, 0.1), (0.7, 0.8)]):
        kept = keep_best(tmp_path, kept, Checkpoint(epoch, score, loss), 3, network)
    drop_others(tmp_path, kept)
    assert [one.epoch for one in kept] == [2, 4, 1]
    assert (tmp_path / "epoch0002.safetensors").exists()
    assert not (tmp_path / "epoch0003.safetensors").exists()


def test_the_precision_wanted_is_taken_and_the_network_left_as_it_was() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    before = {k: v.clone() for k, v in network.state_dict().items()}
    x = torch.zeros(4, 1, 8, 8)
    for wanted in ("32", "bf16", "auto"):
        precision, seconds = choose_precision(
            network, x, lambda logits: logits.float().square().sum(), wanted
        )
        assert seconds > 0 and (precision == wanted or wanted == "auto")
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
