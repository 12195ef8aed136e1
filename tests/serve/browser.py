"""A server process and a headless browser, for tests of the page."""

from __future__ import annotations

import atexit
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ..command import start

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]


def chromium() -> str:
    """The path of the browser, or a skip."""
    pytest.importorskip("playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs Chromium")
    return found


@contextmanager
def server_process(
    run: Path, state: Path, port: int = 0, *options: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `aurist serve`, and give its address; it is killed at the end."""
    process = start("serve", run, "--port", port, "--state", state, *options)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line + process.stderr.read()
        yield address[0], process
    finally:
        process.kill()
        process.communicate()


class Visit:
    """A page that a person looks at; all its requests and errors are kept."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        # refused requests are the server's answers, which tests provoke; all else is a fault, such as of the policy
        page.on(
            "console",
            lambda message: (
                self.errors.append(message.text)
                if message.type == "error" and "Failed to load resource" not in message.text
                else None
            ),
        )

    def open(self, address: str) -> None:
        """Open the page, and wait until it works."""
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready]")

    def drop(self, *files: Path) -> None:
        """Choose files."""
        self.page.set_input_files("#files", [str(file) for file in files])

    def alone(self, address: str) -> bool:
        """Tell whether all requests went to the server."""
        return all(url.startswith((address, "blob:", "data:")) for url in self.requests)


@contextmanager
def browser(*arguments: str) -> Iterator[Any]:
    """Run a browser that reaches only this machine, with further arguments."""
    opened = _driver().chromium.launch(
        executable_path=chromium(),
        args=[*ARGUMENTS, *arguments, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
    )
    try:
        yield opened
    finally:
        opened.close()


@cache
def _driver() -> Any:
    """Start Playwright, which a process can do only once at a time, for all browsers of this process."""
    chromium()
    from playwright.sync_api import sync_playwright

    context = sync_playwright()
    driver = context.start()
    atexit.register(driver.stop)
    return driver


def visit(opened: Any, width: int = 1280, height: int = 900, **settings: Any) -> Visit:
    """Open a window of its own, as another person would."""
    return Visit(opened.new_page(viewport={"width": width, "height": height}, locale="en-GB", **settings))


def serious_findings(page: Any) -> list[tuple[str, str]]:
    """What axe finds that shuts people out, in both themes."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = []
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        for one in axe.Axe().run(page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                found += [(one["id"], node["html"][:200]) for node in one["nodes"]]
    return found
