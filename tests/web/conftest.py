"""Chromium, and a session of two images behind the page.

Needs Debian's Chromium: ``apt-get install chromium-headless-shell``, which has no windows and opens
a page with a third of the work, or ``chromium``. No browser is downloaded.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest
from tests.web.browsing import PATIENCE, SIZE
from tests.web.served import Client, served

from stroma.io import write_image
from stroma.session import Session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM = (
    os.environ.get("STROMA_CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
    or ""
)
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or name one in STROMA_CHROMIUM")
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), timeout=PATIENCE
        )
        yield started
        started.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images: dark on the left, bright on the right."""
    for name, seed in (("first", 0), ("second", 1)):
        noise = np.random.default_rng(seed).normal(0, 8, (SIZE, SIZE))
        values = np.where(np.arange(SIZE) < SIZE // 2, 60, 180) + noise
        write_image(tmp_path / f"{name}.tif", values.clip(0, 255).astype(np.uint8), axes="yx")
    return tmp_path


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with Session.create(folder / "first.stroma") as made:
        for name in ("first", "second"):
            made.add_image(folder / f"{name}.tif")
        yield made


@pytest.fixture
def client(session: Session) -> Iterator[Client]:
    with served(session) as made:
        yield made


@pytest.fixture
def page(browser: Browser, client: Client, session: Session) -> Iterator[Page]:
    """The page, opened; at the end, nothing may have gone wrong in it.

    A tile that was asked for in the moment in which its image was closed is nothing wrong.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    made = context.new_page()
    made.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not _of_closed_image(message.location["url"], session):
            wrong.append(f"{message.text} ({message.location['url']})")

    made.on("console", heard)
    made.goto(client.address.url)
    made.wait_for_selector("#image-select option:nth-child(2)", state="attached")
    yield made
    context.close()
    assert wrong == []


def _of_closed_image(url: str, session: Session) -> bool:
    tile = re.match(r"/images/([^/]+)/", urlsplit(url).path)
    return tile is not None and tile[1] not in {image.key for image in session.images}
