"""Model folders of every format that was ever written open, and answer as they did."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from aurist.export import verify_model
from aurist.run import open_model
from aurist.run.model_schema import model_schema

FROZEN = sorted((Path(__file__).parent / "frozen").iterdir())


@pytest.mark.parametrize("folder", FROZEN, ids=lambda folder: folder.name)
def test_a_frozen_model_answers_as_it_did(folder: Path) -> None:
    assert {member.engine for member in open_model(folder).ensemble.members.values()} == {
        "forest",
        "kernel",
        "classic",
        "autogluon",
    }
    difference = verify_model(folder).difference
    assert difference is not None
    assert difference < 1e-6


def test_the_published_schema_is_that_of_the_code_and_fits_the_files() -> None:
    published = json.loads((Path(__file__).parents[2] / "docs" / "model.schema.json").read_text())
    assert published == model_schema()
    content = json.loads((FROZEN[-1] / "model.json").read_text())
    jsonschema.validate(content, published)
    content["ensemble"]["members"][0]["name"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, published)
