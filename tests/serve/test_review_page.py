"""Judging in a browser: single keys, a killed server, and two windows at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurist.review.journal import VerdictJournal

from .browser import Visit, serious_findings, server_process, visit
from .conftest import as_file, tone


def calls() -> np.ndarray:
    """Half a minute of both tones in turn: many events."""
    return np.concatenate([tone(label, 1.5, seed) for seed in range(10) for label in ("drone", "whistle")])


def judged(state: Path) -> dict[str, str]:
    [folder] = (state / "jobs").glob("*/detections")
    return {key: verdict.verdict for key, verdict in VerdictJournal(folder).current().items()}


def open_review(seen: Visit, address: str) -> None:
    seen.open(f"{address}/#review")
    seen.page.wait_for_selector("#card:not([hidden])")


def show_uncertain(page: Any) -> None:
    """Choose this order, and wait until its detections can be judged."""
    page.check("[name=order][value=uncertainty]")
    page.wait_for_selector("#card[aria-busy=false]:not([hidden])")


def press(seen: Visit, *keys: str) -> None:
    """Press keys, each after the last verdict is on the disk."""
    for key in keys:
        with seen.page.expect_response(lambda answer: answer.request.method == "PUT"):
            seen.page.keyboard.press(key)


@pytest.mark.slow
def test_review(examples: Path, tmp_path: Path, chrome: Any) -> None:
    seen, state = visit(chrome), tmp_path / "state"
    page = seen.page
    with server_process(examples / "run", state) as (address, process):
        seen.open(address)
        page.fill("#window", "0.5")
        page.set_input_files(
            "#files", {"name": "night.wav", "mimeType": "audio/wav", "buffer": as_file(calls())}
        )
        page.wait_for_selector("#event-rows tr")
        open_review(seen, address)
        show_uncertain(page)  # also those a little below the threshold: there are more
        press(seen, "y", "n", "u")
        assert sorted(judged(state).values()) == ["?", "no", "yes"]
        # undo brings the last one back
        question = page.inner_text("#detection-facts")
        press(seen, "z")
        assert len(judged(state)) == 2 and page.inner_text("#detection-facts") != question
        press(seen, "y")
        # another class, by typing
        page.keyboard.press("c")
        page.wait_for_selector("#chooser[open]")
        page.keyboard.type("ow")
        assert page.inner_text("#chooser-list .current") == "ow (new)"
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.keyboard.press("Enter")
        assert sorted(judged(state).values()) == ["no", "other", "yes", "yes"]
        # the space bar after a click of the mouse plays, and does not judge
        page.click("[data-verdict=no]")
        page.wait_for_function("() => document.getElementById('saved').textContent.includes('No')")
        count = len(judged(state))
        page.keyboard.press("Space")
        page.wait_for_timeout(300)
        assert len(judged(state)) == count
        assert serious_findings(page) == []
        second_window(chrome, seen, address)
        before = judged(state)
        process.kill()
        process.wait()
        page.keyboard.press("n")
        page.wait_for_function("() => document.getElementById('saved').textContent.includes('Not saved yet')")
        assert judged(state) == before
    with server_process(examples / "run", state, int(address.rpartition(":")[2])) as (address, _):
        page.wait_for_selector("#lost", state="hidden")
        page.wait_for_function(
            "() => !document.getElementById('saved').textContent.includes('Not saved yet')"
        )
        after = judged(state)
        assert before.items() <= after.items() and len(after) == len(before) + 1
        page.reload()
        page.wait_for_selector("html[data-ready]")
        page.wait_for_selector("#card:not([hidden]), #review-nothing:not([hidden])")
        assert judged(state) == after
    assert seen.errors == []


def second_window(chrome: Any, first: Visit, address: str) -> None:
    """What is judged in one window is seen in the other."""
    other = visit(chrome)
    open_review(other, address)
    show_uncertain(other.page)
    facts = first.page.inner_text("#detection-facts")
    other.page.wait_for_function(
        "(facts) => document.getElementById('detection-facts').textContent === facts", arg=facts
    )
    press(other, "u")
    first.page.wait_for_selector("[data-verdict='?'].chosen")
    press(other, "z")
    first.page.wait_for_selector("[data-verdict='?']:not(.chosen)")
    assert other.errors == []
