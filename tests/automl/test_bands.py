"""Which frequencies models hear, in words."""

from dataclasses import replace
from types import SimpleNamespace

from aurist.automl.bands import bands_heard, hearing, sentences_of
from aurist.features.summary_config import SummaryConfig
from aurist.models.base import ModelSpec
from aurist.models.network_member import recipe_member
from aurist.recipes import read_recipe
from aurist.run import AuditFacts

MEMBERS = (ModelSpec("ExtraTrees", "forest"), recipe_member(read_recipe("mel-cnn")))


def data(summary: SummaryConfig | None, band: tuple[float, float] | None = None) -> SimpleNamespace:
    return SimpleNamespace(summary=summary, clips=SimpleNamespace(band=band))


def test_each_network_and_all_models_of_features():
    bands = bands_heard(data(SummaryConfig()), MEMBERS)
    assert bands == {"models of summary features": (0.0, 11025.0), "mel-cnn": (40.0, 16000.0)}
    assert bands_heard(data(None), MEMBERS[:1]) == {}
    assert set(bands_heard(data(SummaryConfig()), MEMBERS[1:])) == {"mel-cnn"}


def test_what_lies_outside_is_a_warning():
    audit = AuditFacts({"48000": 3, "8000": 1}, {})
    ranges, warning = hearing(data(SummaryConfig(), (2000.0, 15000.0)), MEMBERS, audit)
    assert "models of summary features hear 0 to 11,025 Hz; mel-cnn hears 40 to 16,000 Hz" in ranges
    assert "most recordings reach 24,000 Hz" in ranges
    assert warning.startswith("warning: models of summary features do not hear all")
    assert len(hearing(data(SummaryConfig(), (2000.0, 11000.0)), MEMBERS, audit)) == 1


def test_models_that_hear_the_same_stand_together():
    two = [MEMBERS[1], replace(MEMBERS[1], name="second")]
    sentence = sentences_of(bands_heard(data(None), two), None, {})[0]
    assert sentence == "mel-cnn and second hear 40 to 16,000 Hz"
