import subprocess
import sys

import pytest

import aurist


@pytest.mark.parametrize("name", aurist.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(aurist, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = aurist.fitt


def test_importing_aurist_and_its_command_line_loads_nothing_heavy() -> None:
    heavy = "torch autogluon numba sklearn scipy matplotlib pandas lightgbm"
    code = f"import sys, aurist, aurist.cli; print([m for m in {heavy.split()} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
