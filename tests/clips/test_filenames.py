"""Labels and groups from file names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.clips.filenames import compile_pattern, read_names
from aurist.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("{label}_{group}_{n}", "recordings/7_jackson_32.wav", {"label": "7", "group": "jackson"}),
        ("{label}_{n}", "dog_park_3.wav", {"label": "dog"}),  # a field ends at the first that fits
        ("{n}-{label}", "1-dog-park.wav", {"label": "dog-park"}),  # the last takes what is left
        ("{label}.{n}", "blues.00007.wav", {"label": "blues"}),
        ("{group}/{label}/{n}", "data/site 1/wren/x.y.wav", {"group": "site 1", "label": "wren"}),
        ("{label}/take{fold}", "wren/take3.ogg", {"label": "wren", "fold": "3"}),
        ("{label}", "a\\b\\wren.wav", {"label": "wren"}),
        ("XC{n} - {label}", "XC123 - Common Wren.mp3", {"label": "Common Wren"}),
    ],
)
def test_fields(pattern: str, path: str, fields: dict[str, str]) -> None:
    assert read_names([path], pattern) == [fields]


def test_names_that_do_not_fit_are_all_listed() -> None:
    with pytest.raises(DataError, match=r"(?s)2 of 3 file names.*a\.wav\n  b-1\.wav\n.*label_from"):
        read_names(["a.wav", "dog_1.wav", "b-1.wav"], "{label}_{n}")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{group}_{n}", "must hold {label}"),
        ("label", "must hold {label}"),
        ("{label}_{label}", "a name of its own"),
        ("{label}_{}", "a word in braces"),
        ("{label}_{1n}", "a word in braces"),
        ("{label}_{a-b}", "a word in braces"),
        ("{label}_{n", "a word in braces"),
    ],
)
def test_patterns_that_say_nothing(pattern: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        compile_pattern(pattern)


word = st.text(st.characters(categories=("Ll", "Lo", "Nd"), exclude_characters="_"), min_size=1, max_size=8)


@given(fields=st.tuples(word, word, word), mark=st.sampled_from(["_", "-", " ", "+", "(", "__"]))
def test_any_name_comes_apart_as_it_was_put_together(fields: tuple[str, str, str], mark: str) -> None:
    import unicodedata

    label, group, n = fields
    read = read_names([f"x/{label}{mark}{group}{mark}{n}.wav"], f"{{label}}{mark}{{group}}{mark}{{n}}")
    assert read == [{"label": unicodedata.normalize("NFC", label), "group": group}]
