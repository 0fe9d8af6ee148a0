"""Chromium for the tests that click."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ceteris.evidence.assessment import Assessment
from ceteris.records.views import RunRecord
from ceteris.report.extras import Extras
from ceteris.report.page import write_report

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """The system's Chromium, headless; the tests that need it are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (looked for chromium, chromium-browser, google-chrome)")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path: Path) -> Iterator[Callable[..., object]]:
    """Open the report of a run; then nothing but the file may have been asked for, without complaint."""
    requests: list[str] = []
    complaints: list[str] = []
    contexts = []

    def open_report(
        run: RunRecord, assessment: Assessment, extras: Extras | None = None, **options: object
    ) -> object:
        path = write_report(run, assessment, tmp_path / "report.html", extras)
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith("file://")] == []
    assert complaints == []
