"""Learning from verdicts in a browser: counts, progress, before and after, and the use of the new model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from .browser import serious_findings, server_process, visit
from .conftest import as_file
from .test_improving import TRUTH, recording


@pytest.mark.slow
def test_improve(examples: Path, tmp_path: Path, chrome: Any) -> None:
    seen = visit(chrome)
    page = seen.page
    with server_process(examples / "run", tmp_path / "state") as (address, _):
        seen.open(address)
        page.click("#tab-improve")
        page.wait_for_function(
            "() => document.getElementById('improve-counts').textContent.startsWith('0 verdicts')"
        )
        assert page.is_disabled("#improve-start")
        page.click("#tab-listen")
        page.fill("#window", "1")
        upload = [
            {"name": f"{seed}.wav", "mimeType": "audio/wav", "buffer": as_file(recording(seed))}
            for seed in range(8)
        ]
        page.set_input_files("#files", upload)  # type: ignore[arg-type]
        page.wait_for_selector("#event-rows tr")
        page.click("#tab-review")
        page.wait_for_selector("#card:not([hidden])")
        page.uncheck("#autoplay")
        until = time.monotonic() + 120
        while page.is_visible("#card") and time.monotonic() < until:
            label, facts = page.inner_text("#question")[:-1], page.inner_text("#detection-facts")
            name, times = facts.split(". ")[1].split(", ") if ". " in facts else ("", "")
            start, end = (
                sum(float(part) * 60**i for i, part in enumerate(word.split(":")[::-1]))
                for word in times[:-1].split(" to ")
            )
            truth = TRUTH[name][min(5, int((start + end) / 4))]
            with page.expect_response(lambda answer: answer.request.method == "PUT"):
                if truth == label:
                    page.keyboard.press("y")
                else:
                    page.keyboard.press("c")
                    page.keyboard.type(truth)
                    page.keyboard.press("Enter")
        page.click("#tab-improve")
        page.wait_for_selector("#improve-start:not([disabled])")
        assert serious_findings(page) == []
        page.select_option("#improve-time", "60")
        page.click("#improve-start")
        page.wait_for_selector("#improve-running:not([hidden])")
        page.wait_for_selector("#improve-result:not([hidden])", timeout=200_000)
        words = page.inner_text("#result-list")
        assert "became" in words, words
        page.click("#improve-use")
        page.wait_for_function("() => document.getElementById('in-use').textContent.includes('in use')")
        page.wait_for_function("() => document.getElementById('model').textContent.includes('run + 1')")
        page.reload()
        page.wait_for_function("() => document.getElementById('in-use').textContent.includes('in use')")
    assert seen.errors == [] and seen.alone(address)
