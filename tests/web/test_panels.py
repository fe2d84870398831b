"""What the panels offer beside painting, tried in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Picture
from tests.web.browsing import (
    BLUE,
    PATIENCE,
    SIZE,
    paint_both,
    stroke,
    until,
    wait_for_colour,
    wait_for_grey,
    wait_for_image,
)
from tests.web.served import served

from stroma.data.image import Image
from stroma.io import read_image
from stroma.session import Session

if TYPE_CHECKING:
    from playwright.sync_api import Page

SHOWN = 8000
"""Milliseconds after which a notice goes that is not bad and that nobody reads."""


@pytest.fixture
def opened(browser):
    """Open the page of a session in a tab of its own; nothing may go wrong in any of them."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    wrong: list[str] = []

    def open_page(client, *, stopped=False):
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        if stopped:
            page.clock.install(time="2000-01-01")
            page.clock.pause_at("2000-01-02")  # later than any wait for this step may take
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(client.address.url)
        page.wait_for_selector("#areas", state="attached")
        return page

    yield open_page
    context.close()
    assert wrong == []


def test_sliders_and_keys_lead_through_planes_and_times(opened) -> None:
    stack = np.random.default_rng(0).integers(0, 200, (3, 4, SIZE, SIZE)).astype(np.uint16)
    with Session(mode="paused") as session:
        session.add_image(Image(stack, "tzyx"), name="stack")
        with served(session) as client:
            page = opened(client)
            page.wait_for_selector("#sliders >> text=3 / 4")  # begins in the middle of z
            page.keyboard.press(".")
            page.wait_for_selector("#sliders >> text=4 / 4")
            page.keyboard.press("Shift+Period")
            page.wait_for_selector("#sliders >> text=2 / 3")
            page.locator("#sliders [data-axis=t]").fill("2")
            page.wait_for_selector("#sliders >> text=3 / 3")
            stroke(page, (60, 40), (60, 80))
            wait_for_colour(page, (60, 60), BLUE)
            assert session.strokes("1", plane={"t": 2, "z": 3})[60, 60] == 1
            page.keyboard.press(",")
            wait_for_grey(page, (60, 60))
            page.close()


def test_a_group_of_similar_pixels_is_taken_as_the_chosen_class(page, session) -> None:
    session.set_alias("gaussian")  # brightness alone: both halves of the image are a group
    page.keyboard.press("2")
    page.click("#groups")
    page.fill("#group-count", "2")
    page.click("#find-groups")
    until(page, lambda: page.locator("img.groups").evaluate("one => one.naturalWidth") > 0)
    page.locator("#groups-found button").first.click()
    page.wait_for_selector("#dialog", state="hidden")
    painted = session.strokes("1")
    assert set(np.unique(painted)) == {0, 2}
    assert 0.4 < (painted == 2).mean() < 0.6


def test_contrast_is_chosen_by_hand_and_again_by_percentiles(page, session) -> None:
    page.click("#tab-image")
    black = page.get_by_label("Black of channel 1")
    first = float(black.input_value())
    black.fill("120")

    def low() -> float:
        return session.image("1").display.get("channels", [{"low": 0}])[0]["low"]

    until(page, lambda: abs(low() - 120) < 1)
    page.click("text=Automatic contrast")
    until(page, lambda: abs(low() - 120) > 1)
    values = read_image(session.image("1").image.source).read()
    wanted = np.percentile(values, [1, 99])
    [shown] = session.image("1").display["channels"]
    np.testing.assert_allclose([shown["low"], shown["high"]], wanted, atol=2)
    until(page, lambda: abs(float(black.input_value()) - first) < 1)


def test_results_are_written_as_ome_zarr_with_a_picture_of_the_overlay(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-results")
    page.select_option("#format", label="OME-Zarr")
    page.click("#export")
    page.wait_for_selector("#exported >> text=first_labels.zarr")
    results = session.path / "results"
    labels = read_image(results / "first_labels.zarr").read()
    assert (labels[:, : SIZE // 2 - 8] == 1).mean() > 0.99
    with Picture.open(results / "first_overlay.png") as overlay:
        assert overlay.size == (SIZE, SIZE)
        red, _, blue = overlay.convert("RGB").getpixel((20, 200))
    assert blue > red + 40


def test_the_session_is_shown_as_code(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-results")
    page.click("#code")
    page.wait_for_selector("#dialog >> text=ConvpaintModel('stroma')")
    page.wait_for_selector("#dialog >> text=/stroma train .*first.tif/")
    page.keyboard.press("Escape")
    page.wait_for_selector("#dialog", state="hidden")
    assert len(list((session.path / "strokes").iterdir())) == 1


def test_all_tabs_show_what_one_of_them_does(opened, client, session) -> None:
    mine, other = opened(client), opened(client)
    stroke(mine, (60, 40), (60, 80))
    wait_for_colour(other, (60, 60), BLUE)
    mine.select_option("#image-select", label="second.tif")
    other.get_by_label("Name of class 1").fill("cells")
    other.get_by_label("Name of class 1").press("Enter")
    mine.wait_for_selector("[aria-label='Paint cells']")
    mine.bring_to_front()
    mine.select_option("#image-select", label="first.tif")
    mine.click("#close-image")
    mine.click("#confirm")
    for page in (mine, other):
        wait_for_image(page, "second.tif")
        wait_for_grey(page, (60, 60))
        assert page.locator("#notices .bad").count() == 0
    for page in (mine, other):  # which would say that nobody answers any more
        page.close()


@contextmanager
def of_two_kinds(opened) -> Iterator[tuple[Session, Page]]:
    """Open images that differ in channels; the clock of the page stands still until it is moved."""
    with Session(mode="paused") as session, served(session) as client:
        for axes, shape in (("yx", (SIZE, SIZE)), ("cyx", (3, SIZE, SIZE))):
            session.add_image(Image(np.zeros(shape, np.uint8), axes), name=axes)
        page = opened(client, stopped=True)
        yield session, page
        page.close()


def look_away(page: Page) -> None:
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def test_a_warning_about_channels_is_short_and_is_read_once(opened) -> None:
    with of_two_kinds(opened) as (_, page):
        said = page.locator("[data-cause=mixed]")
        said.get_by_text("they differ in channels").wait_for()
        assert said.bounding_box()["height"] < 120
        said.get_by_label("Close").click()
        page.reload()
        differ = page.locator("#differ").get_by_text("they differ in channels")
        differ.wait_for(state="attached")  # drawn after what is said over the image
        assert said.count() == 0


def test_a_warning_about_channels_leaves_the_image_free_and_stays_in_its_panel(opened) -> None:
    with of_two_kinds(opened) as (session, page):
        said = page.locator("[data-cause=mixed]")
        said.get_by_text("Details").click()
        said.get_by_text("3 in cyx").wait_for()
        look_away(page)
        page.clock.run_for(SHOWN)
        assert said.count() == 1  # somebody reads it
        said.get_by_text("Details").click()
        look_away(page)
        page.clock.run_for(SHOWN)
        said.wait_for(state="detached")
        page.clock.resume()
        stroke(page, (10, 60), (10, 200))  # where it was
        until(page, lambda: session.strokes(session.images[0].key).any())
        page.click("#tab-image")
        page.locator("#differ").get_by_text("they differ in channels").wait_for()
        page.locator("#differ").get_by_text("Details").click()
        page.locator("#differ").get_by_text("3 in cyx").wait_for()
        session.close_image(session.images[1].key)
        page.locator("#differ").get_by_text("they differ").wait_for(state="detached")


NOTICES = """async () => {
  const { holds, notice, orNotice, report } = await import("/static/notices.js");
  const place = document.getElementById("notices");
  const shown = () => [...place.children].map((one) => one.innerText.trim());
  const fails = (key) => orNotice(Promise.reject(new Error("full")), key);
  const works = (key) => orNotice(Promise.resolve(true), key);
  const steps = [%s];
  const seen = [];
  for (const step of steps) {
    await step();
    seen.push(shown());
  }
  return seen;
}"""


@pytest.mark.parametrize(
    ("steps", "seen"),
    [
        ("() => fails('a'), () => fails('b'), () => works('b')", [["full"], ["full"], []]),
        (
            "() => holds('c', 'full'), () => fails('a'), () => works('a'), () => holds('c', '')",
            [["full"], ["full", "full"], ["full"], []],
        ),
        (
            "() => fails('a'), () => holds('c', 'full'), () => works('a'), () => holds('c', '')",
            [["full"], ["full", "full"], ["full"], []],
        ),
        (
            "() => report('Not opened:', [{ name: 'a.tif', error: 'empty' }], 'a'),"
            "() => report('Not opened:', [{ name: 'b.tif', error: 'no image' }], 'b'),"
            "() => report('Not opened:', [], 'a')",
            [
                ["Not opened:\n\na.tif: empty"],
                ["Not opened:\n\na.tif: empty", "Not opened:\n\nb.tif: no image"],
                ["Not opened:\n\nb.tif: no image"],
            ],
        ),
        ("() => notice('full', 'bad'), () => notice('full')", [["full"], ["full", "full"]]),
    ],
    ids=["one reason", "what holds first", "what holds last", "two lists", "bad ones stay"],
)
def test_a_notice_stays_as_long_as_its_cause_whatever_else_says_the_same(
    opened, client, steps, seen
) -> None:
    page = opened(client)
    assert page.evaluate(NOTICES % steps) == seen
    page.close()
