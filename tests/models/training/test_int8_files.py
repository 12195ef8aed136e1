"""Networks in 8 bits: calibrated on training clips, scored as they predict, and compared with 32 bits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from aurist.crossval import fit_member
from aurist.errors import ConfigError, RunError
from aurist.fold_files import load_folds
from aurist.models.network_member import IN_32_BITS, recipe_member
from aurist.recipes import recipe_from

from ..sounds import sound_data, tiny

pytest.importorskip("timm")


def test_eight_bits_are_scored_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    member = recipe_member(tiny(training={"quantize": "int8", "top_k": 1, "epochs": 3}))
    data, run = sound_data(tmp_path / "sounds", n=36), tmp_path / "run"
    result = fit_member(run, data, member, seconds=120)
    ids = data.clip_ids.tolist()
    eight, full = result.oof.aligned(ids), result.variants[IN_32_BITS].aligned(ids)
    assert 1e-6 < np.abs(eight - full).max() < 0.05  # another arithmetic, and nearly the same answers
    for path in run.glob("fold*/net0/*.onnx"):
        assert (b"QuantizeLinear" in path.read_bytes()) == path.name.endswith(".int8.onnx")
    scored = data.splits[0].scored
    inputs = data.examples.inputs.take(scored)
    again = load_folds(run, data.task, member)[0].predict_proba(inputs)
    assert again == pytest.approx(eight[scored], abs=1e-6)
    if find_spec("openvino"):
        monkeypatch.setenv("AURIST_ENGINE", "openvino")
        other = load_folds(run, data.task, member)[0].predict_proba(inputs)
        assert other == pytest.approx(eight[scored], abs=0.05)
    next(run.glob("fold0/net0/*.int8.onnx")).unlink()
    with pytest.raises(RunError, match=r"int8\.onnx is missing.*aurist resume"):
        load_folds(run, data.task, member)


def test_networks_of_waves_have_none() -> None:
    table = {"network": {"backbone": "transformer:a/b"}, "training": {"quantize": "int8"}, "name": "x"}
    with pytest.raises(ConfigError, match="quantize is 'int8', but only networks of images"):
        recipe_from(table, "x")
    with pytest.raises(ConfigError, match="quantize is 'int4'"):
        recipe_from({"name": "x", "training": {"quantize": "int4"}}, "x")
