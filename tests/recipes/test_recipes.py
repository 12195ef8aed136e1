"""Recipes: what comes with aurist is what its sources say, and people's own are checked key by key."""

from pathlib import Path

import pytest

from aurist.errors import ConfigError
from aurist.features.spectrogram_config import shape
from aurist.pooling import window_starts
from aurist.recipes import parse_setting, read_recipe, recipe_from, recipe_names


@pytest.mark.parametrize("name", recipe_names())
class TestEachRecipe:
    def test_it_says_what_it_is_and_where_it_comes_from(self, name: str) -> None:
        recipe = read_recipe(name)
        assert recipe.name == name
        assert recipe.about.endswith(".") and len(recipe.source) > 40

    def test_it_can_be_written_down_and_read_back(self, name: str) -> None:
        recipe = read_recipe(name)
        assert recipe_from(recipe.to_dict(), "again") == recipe


class TestWhatTheSourcesSay:
    def image(self, name: str) -> tuple[int, int, int]:
        recipe = read_recipe(name)
        return shape(recipe.front, round((recipe.window.seconds or 0) * recipe.front.sample_rate))

    def test_iaml(self) -> None:
        recipe = read_recipe("iaml-mfcc-cnn")
        assert self.image("iaml-mfcc-cnn") == (1, 20, 1231)
        training = recipe.training
        assert (training.optimizer, training.batch_size, training.top_k) == ("rmsprop", 5, 5)
        assert training.weight_decay == {"block2": 2e-3, "block4": 2e-3}  # 1e-3 as Keras counts

    def test_iaml_slices_are_19_of_30_seconds(self) -> None:
        recipe = read_recipe("iaml-slices")
        rate, window = recipe.front.sample_rate, recipe.window
        assert window.seconds is not None and window.hop is not None
        starts = window_starts(30 * rate, round(window.seconds * rate), round(window.hop * rate))
        assert len(starts) == 19
        assert recipe.network == read_recipe("iaml-mfcc-cnn").network

    def test_rfcx(self) -> None:
        recipe = read_recipe("rfcx-resnet50")
        assert self.image("rfcx-resnet50") == (1, 128, 1876)
        front = recipe.front
        assert (front.sample_rate, front.n_fft, front.hop_length, front.n_mels) == (48000, 2048, 512, 128)
        assert (front.fmin, front.fmax, front.of_amplitude) == (84, 15056, True)
        assert (recipe.network.backbone, recipe.network.head) == ("resnet50", "rfcx")
        training = recipe.training
        assert (training.optimizer, training.lr, training.batch_size, training.epochs) == (
            "adam",
            1e-3,
            32,
            10,
        )

    @pytest.mark.parametrize("name", ["densenet-spectrogram", "inception-resnet-v2-spectrogram"])
    def test_the_image_networks(self, name: str) -> None:
        recipe = read_recipe(name)
        training = recipe.training
        assert (training.optimizer, training.schedule, training.decay) == ("adam", "inverse", 0.01)
        assert (training.epochs, training.patience) == (40 + 16, 10)
        assert self.image(name)[1] >= 75 and self.image(name)[2] >= 75


class TestOnesOwn:
    def write(self, folder: Path, text: str, name: str = "own.toml") -> str:
        (folder / name).write_text(text, encoding="utf-8")
        return str(folder / name)

    def test_it_says_only_what_differs(self, tmp_path: Path) -> None:
        recipe = read_recipe(self.write(tmp_path, 'base = "mel-cnn"\n[training]\nepochs = 7\n'))
        base = read_recipe("mel-cnn")
        assert (recipe.name, recipe.training.epochs) == ("own", 7)
        assert (recipe.training.lr, recipe.front) == (base.training.lr, base.front)

    def test_it_may_stand_on_a_file_beside_it(self, tmp_path: Path) -> None:
        self.write(tmp_path, 'base = "mel-cnn"\n[training]\nepochs = 7\n', "first.toml")
        second = self.write(tmp_path, 'base = "first.toml"\n[training]\nbatch_size = 9\n', "second.toml")
        training = read_recipe(second).training
        assert (training.epochs, training.batch_size) == (7, 9)

    def test_settings_come_last_and_none_takes_away(self, tmp_path: Path) -> None:
        own = self.write(tmp_path, 'base = "mel-cnn"\n[training]\nepochs = 7\n')
        recipe = read_recipe(own, dict(map(parse_setting, ["training.epochs=8", "training.ema=none"])))
        assert (recipe.training.epochs, recipe.training.ema) == (8, None)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('base = "own.toml"', "based on itself"),
            ('base = "mel_cnn"', "Did you mean 'mel-cnn'?"),
            ("[trainig]\nepochs = 7", "unknown setting 'trainig'. Did you mean 'training'?"),
            (
                "name = 'x'\n[training]\nepoch = 7",
                r"\[training\]: unknown setting 'epoch'. Did you mean 'epochs'?",
            ),
            ("name = 'x'\n[training]\nepochs = 'many'", "epochs is 'many', but must be of type int"),
            ("name = 'x'\n[training]\nepochs = 1.5", "epochs is 1.5, but must be of type int"),
            ("name = 'x'\n[training]\nseeds = true", "seeds is True, but must be of type int"),
            ("name = 'x'\ntraining = 3", "must be a table"),
            ("name = 'x'\n[training]\nkeep = 'last'\npatience = 3", "chooses nothing, but patience"),
            ("name = 'x'\n[front]\nfmax = 99999.0", "nothing above 11025"),
            ("name = 'x'\n[augment]\nwave = [{kind = 'pich_shift'}]", "Did you mean 'pitch_shift'?"),
            ("name = 'x'\n[window]\npooling = ['median']", "pooling is 'median'"),
            ("name = 'a b'", "name a folder"),
            ("name = ", "Cannot read the recipe"),
        ],
    )
    def test_what_cannot_be_is_said(self, tmp_path: Path, text: str, expected: str) -> None:
        with pytest.raises(ConfigError, match=expected.replace("?", r"\?")) as caught:
            read_recipe(self.write(tmp_path, text))
        assert "own.toml" in str(caught.value)

    @pytest.mark.parametrize("text", ["epochs", "=3", " = 3"])
    def test_a_change_without_name_or_value_is_refused(self, text: str) -> None:
        with pytest.raises(ConfigError, match=r"training\.epochs=5"):
            parse_setting(text)

    def test_a_change_of_a_part_as_if_it_were_a_setting_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="must be a table"):
            read_recipe("mel-cnn", {"training": 3})


def test_cutmix_needs_images() -> None:
    with pytest.raises(ConfigError, match="cutmix"):
        recipe_from(
            {"name": "x", "network": {"backbone": "transformer:y"}, "augment": {"mixing": "cutmix"}}, "x"
        )
