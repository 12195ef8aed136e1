"""The page beside clips, in a browser: its buttons, and the table that it gives back."""

from __future__ import annotations

import csv
import html
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.audio.writing import write_sound
from aurist.report import write_review
from aurist.review.clips import COLUMNS
from aurist.review.verdicts import read_verdicts

LABELS = ["wren, <winter>", "robin"]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    rows = []
    rng = np.random.default_rng(0)
    for i in range(4):
        name = f"0.{9 - i}_it's #{i}.flac"
        write_sound(tmp_path / name, rng.normal(0, 0.1, 8000).astype(np.float32), 8000)
        rows.append(
            (
                *(name, 'site "1"/a.wav', 0.5 + i, 1.0 + i, 0.5 + i, 1.0 + i),
                *(LABELS[i % 2], 0.9 - i / 10, "best;random", ""),
            )
        )
    write_review(tmp_path, pd.DataFrame(rows, columns=list(COLUMNS)), LABELS, padding=0.25)
    return tmp_path


def test_text_is_text_and_addresses_are_addresses(clips: Path) -> None:
    page = (clips / "index.html").read_text("utf-8")
    assert "<winter>" not in page and "wren, &lt;winter&gt;" in page
    assert 'src="0.9_it%27s%20%230.flac"' in page
    # a quarter of a second before and half a second of call: the lines are at a quarter and three quarters of the clip
    assert 'style="left: 25.0%; width: 50.0%"' in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_verdicts_come_back_as_the_table(clips: Path) -> None:
    act = """<script>
    const all = [...document.querySelectorAll("article")];
    all[0].querySelector('[data-verdict="yes"]').click();
    all[1].querySelector('[data-verdict="no"]').click();
    all[1].querySelector('[data-verdict="?"]').click();
    all[2].querySelector("input").value = "robin";
    all[2].querySelector("input").dispatchEvent(new Event("change"));
    all[3].querySelector('[data-verdict="no"]').click();
    all[3].querySelector('[data-verdict="no"]').click();
    document.title = document.getElementById("count").textContent;
    const out = document.createElement("pre"); out.id = "out"; out.textContent = table(); document.body.append(out);
    </script></body>"""
    text = (clips / "index.html").read_text("utf-8")
    (clips / "clicked.html").write_text(text.replace("</body>", act), encoding="utf-8")
    arguments = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --dump-dom"
    )
    profile = f"--user-data-dir={clips / 'profile'}"
    shown = subprocess.run(
        ["chromium", *arguments.split(), profile, (clips / "clicked.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    assert "<title>3 of 4 judged</title>" in shown
    match = re.search(r'<pre id="out">(.*?)</pre>', shown, re.DOTALL)
    assert match is not None
    saved = html.unescape(match.group(1))
    rows = list(csv.DictReader(saved.splitlines()))
    assert [row["verdict"] for row in rows] == ["yes", "?", "robin", ""]
    assert rows[0]["recording"] == 'site "1"/a.wav' and rows[0]["label"] == LABELS[0]
    (clips / "clips.csv").write_text(saved, encoding="utf-8")
    verdicts = read_verdicts(clips / "clips.csv", LABELS).annotations.table
    assert verdicts[["start", "label", "state"]].to_numpy().tolist() == [
        [0.5, LABELS[0], "present"],
        [2.5, "robin", "present"],
        [2.5, LABELS[0], "absent"],
    ]
