"""The page in a browser: drop, see, hear, filter, and what a person reads when something fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from .browser import Visit, serious_findings, server_process, visit
from .conftest import as_file
from .test_detecting import night

#: Compares the playhead with the clock of the sound for a second, and gives the largest difference in seconds.
IN_STEP = """async () => {
  const sound = document.getElementById("sound"), time = document.getElementById("time");
  let largest = 0, count = 0;
  const until = performance.now() + 1000;
  while (performance.now() < until) {
    await new Promise(requestAnimationFrame);
    const x = new DOMMatrix(getComputedStyle(document.getElementById("playhead")).transform).m41;
    largest = Math.max(largest, Math.abs((x / time.clientWidth) * sound.duration - sound.currentTime));
    count++;
  }
  return { largest, count, now: sound.currentTime, paused: sound.paused };
}"""
#: Gives the seconds at which the colour of a row of the spectrogram changes most.
EDGE = """([khz, seconds]) => {
  const canvas = document.getElementById("picture"), { width, height } = canvas;
  const row = Math.round((1 - khz / 4) * height);
  const { data } = canvas.getContext("2d").getImageData(0, row, width, 1);
  const light = Array.from({ length: width }, (_, x) => data[4 * x] + data[4 * x + 1] + data[4 * x + 2]);
  let best = 0, at = 0;
  for (let x = 8; x < width - 8; x++) {
    const sum = (from) => light.slice(from, from + 8).reduce((a, b) => a + b);
    const change = Math.abs(sum(x) - sum(x - 8));
    if (x / width < 0.5 && change > best) [best, at] = [change, x];
  }
  return (at / width) * seconds;
}"""


@pytest.fixture(scope="module")
def server(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_process(examples / "run", tmp_path_factory.mktemp("state")) as (address, _):
        yield address


@pytest.fixture(scope="module")
def seen(server: str, chrome: Any) -> Visit:
    opened = visit(chrome)
    opened.open(server)
    return opened


@pytest.fixture(scope="module")
def dropped(seen: Visit, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    file = tmp_path_factory.mktemp("sounds") / "night <1>.wav"
    file.write_bytes(as_file(night()))
    seen.page.fill("#window", "1")
    seen.drop(file)
    seen.page.wait_for_selector("#viewer:not([hidden])")
    seen.page.wait_for_selector("#event-rows tr")
    seen.page.wait_for_function("() => document.getElementById('sound').readyState >= 1")
    return seen


def test_the_page_shows_the_recording_and_its_events(dropped: Visit) -> None:
    page = dropped.page
    assert page.inner_text("#recording-name") == "night <1>.wav"
    assert page.inner_text("#recording-facts") == "0:09, 8 kHz"
    assert "accuracy" in page.inner_text("#model") and "2 classes" in page.inner_text("#model")
    rows = page.eval_on_selector_all(
        "#event-rows tr", "rows => rows.map((row) => row.innerText.split('\\t'))"
    )
    assert {row[2] for row in rows} == {"drone", "whistle"}
    starts = [row[0] for row in rows]
    assert starts == sorted(starts)


def test_the_playhead_is_in_step_with_the_sound(dropped: Visit) -> None:
    page = dropped.page
    box = page.locator("#time").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 2 / 3, box["y"] + 100)
    page.wait_for_function("() => !document.getElementById('sound').paused")
    state = page.evaluate(IN_STEP)
    assert state["count"] > 5 and not state["paused"]
    assert 6.3 < state["now"] < 9.0
    assert state["largest"] < 0.05
    # the picture is of the same sound: the whistle of 2.4 kHz begins at 3 s
    assert page.evaluate(EDGE, [2.419, 9]) == pytest.approx(3.0, abs=0.05)


def test_keys(dropped: Visit) -> None:
    page = dropped.page
    page.evaluate("document.getElementById('sound').pause()")
    page.locator("#time").focus()
    page.keyboard.press("Home")
    assert page.evaluate("document.getElementById('sound').currentTime") == 0
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.getElementById('sound').currentTime") == 1
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.getElementById('sound').paused")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.getElementById('sound').paused")
    page.keyboard.press("n")
    page.wait_for_function("() => document.getElementById('sound').currentTime > 2")
    assert page.locator("#time").get_attribute("aria-valuetext").endswith("of 0:09")


def test_filters_and_downloads(dropped: Visit) -> None:
    page = dropped.page
    page.select_option("#label", "whistle")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#event-rows tr')].every((row) => row.innerText.includes('whistle'))"
    )
    with page.expect_download() as download:
        page.click("#downloads a:first-child")
    table = pd.read_csv(download.value.path())
    assert set(table["label"]) == {"whistle"} and set(table["path"]) == {"night <1>.wav"}
    page.fill("#min-score", "1")
    page.wait_for_function("() => document.querySelector('#downloads a').href.includes('min_score=1')")
    page.click("#reset")
    page.wait_for_function("() => document.querySelectorAll('#event-rows tr').length > 1")


def test_what_fails_is_told_where_the_person_looks(dropped: Visit, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("this is text")
    dropped.drop(tmp_path / "notes.wav")
    dropped.page.wait_for_selector("#drop-problem:not([hidden])")
    words = dropped.page.inner_text("#drop-problem")
    assert "notes.wav is not a sound file" in words
    assert dropped.page.inner_text("#recording-name") == "night <1>.wav"


def test_languages_and_themes(seen: Visit) -> None:
    page = seen.page
    page.click("#language")
    assert page.inner_text("#tab-listen") == "듣기" and page.get_attribute("html", "lang") == "ko"
    page.click("#language")
    assert page.inner_text("#tab-listen") == "Listen"
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != light
    page.click("#theme")
    assert page.evaluate(paper) == light


def test_every_text_is_in_both_languages() -> None:
    source = (Path(__file__).parents[2] / "src/aurist/serve/page/strings.js").read_text(encoding="utf-8")
    english, korean = (
        re.search(rf"^  {language}: {{\n(.*?)^  }},", source, re.S | re.M)[1]
        for language in ("en", "ko")  # type: ignore[index]
    )
    keys = [re.findall(r"(?:^|, |\n)\s*(\w+): [\"{]", part) for part in (english, korean)]
    assert keys[0] == keys[1] and len(keys[0]) > 30


def test_a_phone_scrolls_down_only(dropped: Visit, server: str, chrome: Any) -> None:
    seen = visit(chrome, 390, 844, has_touch=True)
    seen.open(server)
    seen.page.click(".recording")
    seen.page.wait_for_selector("#event-rows tr")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not seen.errors


def test_no_serious_findings_of_axe(dropped: Visit) -> None:
    assert serious_findings(dropped.page) == []


@pytest.mark.slow
def test_a_server_that_is_killed_comes_back(examples: Path, tmp_path: Path, chrome: Any) -> None:
    seen = visit(chrome)
    upload = {"name": "a.wav", "mimeType": "audio/wav", "buffer": as_file(night())}
    with server_process(examples / "run", tmp_path / "state") as (address, process):
        seen.open(address)
        process.kill()
        process.wait()
        seen.page.set_input_files("#files", upload)
        seen.page.wait_for_selector("#drop-problem:not([hidden])")
        assert "aurist serve" in seen.page.inner_text("#drop-problem")
        seen.page.wait_for_selector("#lost:not([hidden])")
    with server_process(examples / "run", tmp_path / "state", int(address.rpartition(":")[2])):
        seen.page.wait_for_selector("#lost", state="hidden")
        seen.page.set_input_files("#files", upload)
        seen.page.wait_for_selector("#event-rows tr")


def test_nothing_leaves_the_machine(seen: Visit, server: str) -> None:
    assert len(seen.requests) > 20
    assert seen.alone(server)
    assert seen.errors == []
