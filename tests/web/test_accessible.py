"""The page can be used without seeing it and without a mouse: axe-core finds nothing serious."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.web.browsing import PATIENCE, paint_both
from tests.web.served import served_to_choose

from stroma.session import Session
from stroma.web.start.shelf import Shelf

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
SERIOUS = ("serious", "critical")
TABS = ("paint", "image", "model", "objects", "results", "tracks")


def serious(page: Page, *rules: str, within: str = "html") -> list[str]:
    """Return what is serious of what axe-core finds; by all its rules, unless some are named."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE)
    how: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = page.evaluate("([within, how]) => axe.run(within, how)", [within, how])
    assert found["passes"]
    return [
        f"{one['help']}: {one['nodes'][0]['html']}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]


def test_a_button_without_a_name_would_be_found(page) -> None:
    page.evaluate("document.querySelector('.bar').append(document.createElement('button'))")
    assert [one.partition(":")[0] for one in serious(page, "button-name")] == [
        "Buttons must have discernible text"
    ]


def test_nothing_on_the_page_is_a_serious_obstacle(page) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    assert serious(page) == []
    for tab in TABS[1:]:
        page.click(f"#tab-{tab}")
        page.locator(f"#panel-{tab}").wait_for()
        assert serious(page, within=f"#panel-{tab}") == [], tab
    page.keyboard.press("i")
    page.locator(".card").first.wait_for()
    assert serious(page, within="#dialog") == []


def test_in_the_light_everything_stands_out_too(page) -> None:
    page.click("#theme")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    for tab in ("paint", "model"):
        page.click(f"#tab-{tab}")
        page.locator(f"#panel-{tab}").wait_for()
        assert serious(page, "color-contrast", within=f"#panel-{tab}") == [], tab


def test_nothing_on_the_page_to_choose_on_is_a_serious_obstacle(browser, tmp_path) -> None:
    Session.create(tmp_path / "old.stroma").close()
    (tmp_path / "cells.tif").write_bytes(b"")
    np.save(tmp_path / "more.npy", np.zeros((4, 4), np.uint8))
    with served_to_choose(lambda paths, sample: Session(), Shelf([tmp_path])) as (client, _):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(client.address.url)
        page.get_by_text("cells.tif").wait_for()
        assert serious(page) == []
        page.close()
