"""Headers of files are kept, as recordings are opened many times, until a server forgets them."""

from pathlib import Path

import numpy as np
import soundfile

from aurist.audio import find_layout, forget_headers, probe


def test_headers_are_forgotten(tmp_path: Path) -> None:
    forget_headers()
    for number in range(3):
        file = tmp_path / f"{number}.wav"
        soundfile.write(file, np.zeros(800), 8000)
        assert probe(file).frames == probe(file).frames == 800
    kept = find_layout._layout.cache_info()
    assert (kept.currsize, kept.misses) == (3, 3)
    forget_headers()
    assert find_layout._layout.cache_info().currsize == 0
    assert probe(file).frames == 800
