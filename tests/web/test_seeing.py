"""What is shown of image and results, tried in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.web.browsing import (
    BLUE,
    ORANGE,
    PATIENCE,
    SIZE,
    area,
    paint_both,
    place,
    until,
    wait_for_colour,
    wait_for_grey,
)
from tests.web.served import served

from stroma.data.image import Image
from stroma.session import Session

SIZES = {"large": 4096, "small": 256}


@pytest.fixture(scope="module")
def stack() -> Iterator[Session]:
    """A large image of two channels in µm, painted and trained nowhere."""
    values = np.zeros((2, SIZES["large"], SIZES["large"]), np.uint16)
    values[0, ::2] = 1000
    values[1, :, 100:300] = 40
    with Session(mode="paused") as session:
        image = Image(values, "cyx", {"y": 0.5, "x": 0.25}, "µm", ("DAPI", "actin"))
        session.add_image(image, name="large")
        yield session


@pytest.fixture
def large(browser, stack) -> Iterator[Any]:
    with served(stack) as client:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(client.address.url)
        page.wait_for_selector("#panel-image .channel", state="attached")
        yield page
        context.close()
        assert wrong == []


def test_results_of_a_class_are_hidden_shown_alone_and_made_fainter(page) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    wait_for_colour(page, (200, 60), BLUE)
    page.click("[data-key=eye-1]")
    wait_for_grey(page, (200, 60))
    wait_for_colour(page, (200, 200), ORANGE)
    page.click("[data-key=eye-1]", modifiers=["Alt"])
    wait_for_colour(page, (200, 60), BLUE)
    wait_for_grey(page, (200, 200))
    page.click("[data-key=eye-1]", modifiers=["Alt"])
    wait_for_colour(page, (200, 200), ORANGE)
    page.keyboard.press("2")
    page.get_by_role("slider", name="This class").fill("0")
    wait_for_grey(page, (200, 200))
    wait_for_colour(page, (200, 60), BLUE)


def test_what_is_under_the_cursor_is_read_out(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.mouse.move(*place(page, 200.5, 60.5))
    value = session.image("1").image.read()[200, 60]
    page.wait_for_selector(f"#where >> text=/y 200 +x 60 +{value} +background [0-9]+ %/")
    page.wait_for_selector("#scale >> text=/^[125]0* px$/")
    assert page.locator("#legend").is_hidden()
    page.click("text=Uncertainty")
    page.wait_for_selector("#legend >> text=unsure")
    page.click("text=Probability")
    page.wait_for_selector("#legend >> text=background: 0 %")


def test_lengths_are_told_in_micrometres_and_channels_by_name(large) -> None:
    large.click("#tab-image")
    large.wait_for_selector("text=A pixel is 500 nm high and 250 nm wide.")
    large.wait_for_selector("#scale >> text=/^[125]0* µm$/")
    scale = float(large.inner_text("#zoom-fit").split()[0]) / 100
    micrometres = float(large.inner_text("#scale").split()[0])
    wide = large.locator("#scale").bounding_box()["width"]
    assert wide == pytest.approx(micrometres / 0.25 * scale, rel=0.05)
    box = large.locator("#canvas").bounding_box()
    large.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    large.wait_for_selector(
        "#where >> text=/y 20.. +x 20.. +.1.02. mm, 51.* µm. +DAPI 1?0+ +actin 0/"
    )


def test_contrast_is_automatic_for_one_channel_over_its_histogram(large, stack) -> None:
    large.click("#tab-image")
    large.wait_for_function("document.querySelectorAll('.histogram').length === 2")
    for name in ("DAPI", "actin"):
        large.get_by_label(f"White of {name}").fill("20")
    until(large, lambda: len(stack.image("1").display.get("channels", [])) == 2)
    large.get_by_label("Automatic contrast of DAPI").click()
    until(large, lambda: stack.image("1").display["channels"][0]["high"] == 1000)
    assert abs(stack.image("1").display["channels"][1]["high"] - 20) < 1


def test_a_minimap_shows_where_one_is_in_a_large_image_and_leads_elsewhere(large) -> None:
    assert large.locator("#minimap").is_hidden()
    for _ in range(6):
        large.click("#zoom-in")
    minimap = large.locator("#minimap")
    minimap.wait_for(state="visible")
    box = minimap.bounding_box()
    large.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    middle = large.locator("#canvas").bounding_box()
    large.mouse.move(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
    large.wait_for_selector("#where >> text=/y (9|10).. +x (9|10)../")


def test_a_small_image_has_no_minimap(page) -> None:
    for _ in range(4):
        page.click("#zoom-in")
    assert page.locator("#minimap").is_hidden()
    assert SIZES["small"] == SIZE


def test_the_parts_are_listed_sorted_and_lead_to_their_places(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-results")
    page.click("#list-parts:not([disabled])")
    page.wait_for_selector("#dialog >> text=/[0-9]+ parts on this plane/")

    def areas() -> list[int]:
        cells = page.locator("#parts td:nth-child(2)").all_inner_texts()
        return [int(cell.split()[0].replace(",", "")) for cell in cells]

    assert areas() == sorted(areas(), reverse=True)
    page.get_by_role("button", name="Area (px)", exact=True).click()
    page.wait_for_selector("#dialog th[aria-sort=ascending] >> text=Area")
    assert areas() == sorted(areas())
    assert sum(areas()) == SIZE * SIZE
    page.get_by_role("button", name="Class", exact=True).click()
    page.wait_for_selector("#dialog th[aria-sort=ascending] >> text=Class")
    page.click("#parts tr:last-child")
    page.wait_for_selector("#dialog", state="hidden")


def test_what_is_tiny_is_not_shown_as_blocks(page) -> None:
    sides = [(1, 4, 4), (10, 4, 10), (0.2, 200, 0.5), (0.7, 200, 0.7), (8, 200, 1)]
    found = page.evaluate(
        """async (sides) => {
          const { Camera } = await import('/static/camera.js');
          return sides.map(([now, side]) => {
            const one = Object.assign(new Camera(), { width: 800, height: 800, scale: now });
            one.show({ top: 0, left: 0, bottom: side, right: side });
            return one.scale;
          });
        }""",
        [(now, side) for now, side, _ in sides],
    )
    assert found == [then for _, _, then in sides]


def test_each_image_is_found_again_as_it_was_looked_at(page) -> None:
    for _ in range(3):
        page.click("#zoom-in")
    zoom = page.inner_text("#zoom-fit")
    page.select_option("#image-select", label="second.tif")
    until(page, lambda: page.inner_text("#zoom-fit") != zoom)
    page.select_option("#image-select", label="first.tif")
    until(page, lambda: page.inner_text("#zoom-fit") == zoom)


def test_with_shift_a_straight_line_is_drawn_from_the_last_stroke(page, session) -> None:
    session.set_mode("paused")
    page.mouse.click(*place(page, 60, 40))
    page.keyboard.down("Shift")
    page.mouse.click(*place(page, 160, 140))
    page.keyboard.up("Shift")
    until(page, lambda: session.strokes("1")[110, 90] == 1)
    assert session.strokes("1")[60, 140] == 0


def test_strokes_of_a_class_or_all_are_cleared_with_a_button(page, session) -> None:
    session.set_mode("paused")
    paint_both(page)
    until(page, lambda: session.strokes("1")[60, 190] == 2)
    page.click("#clear-class >> text=Clear foreground")
    until(page, lambda: not (session.strokes("1") == 2).any())
    assert session.strokes("1")[60, 60] == 1
    assert page.locator("#copy-strokes").is_hidden()  # there is one plane only
    page.click("#clear-plane")
    until(page, lambda: not session.strokes("1").any())


def test_the_size_of_pixels_is_given_where_a_file_does_not_say_it(page, session) -> None:
    page.click("#tab-image")
    width = page.locator("input[type=number][data-axis=x]")
    width.fill("0.5")
    width.press("Enter")
    page.locator("#own-size").wait_for()
    assert dict(session.images[0].image.spacing) == {"y": 0.5, "x": 0.5}
    page.wait_for_function("() => document.querySelector('#scale').textContent.includes('µm')")
    page.click("#own-size")
    page.locator("#own-size").wait_for(state="hidden")
    assert dict(session.images[0].image.spacing) == {}


@pytest.mark.parametrize(
    ("box", "middle"),
    [
        ((0, 0, 20, 20), (100, 100)),
        ((490, 980, 500, 1000), (400, 900)),
        ((250, 0, 260, 9), (255, 100)),
    ],
)
def test_what_lies_at_the_edge_is_shown_without_empty_ground_around(page, box, middle) -> None:
    found = page.evaluate(
        """async ([top, left, bottom, right]) => {
          const { Camera } = await import('/static/camera.js');
          const one = Object.assign(new Camera(), {
            width: 800, height: 800, scale: 4, planeHeight: 500, planeWidth: 1000,
          });
          one.show({ top, left, bottom, right });
          return [one.y, one.x];
        }""",
        list(box),
    )
    assert tuple(found) == middle


def test_what_lies_at_the_edge_is_not_hidden_beneath_notices(page) -> None:
    above, below = page.evaluate(
        """async () => {
          const { Camera } = await import('/static/camera.js');
          const one = Object.assign(new Camera(), {
            width: 800, height: 800, scale: 4, planeHeight: 500, planeWidth: 1000,
          });
          one.show({ top: 0, left: 0, bottom: 20, right: 20 }, { above: 200, below: 60 });
          const above = one.toScreen(0, 0)[1];
          one.show({ top: 480, left: 0, bottom: 500, right: 20 }, { above: 200, below: 60 });
          return [above, one.toScreen(500, 0)[1]];
        }"""
    )
    assert (above, below) == (200, 740)


def test_a_brush_leaves_nothing_where_it_was(page) -> None:
    until(page, lambda: np.ptp(area(page, (20, 20), (236, 236))) > 100)
    page.keyboard.press("1")
    drawn(page)
    before = area(page, (20, 20), (236, 236))
    for at in ((60, 40), (90, 200), (200, 100)):
        page.mouse.move(*place(page, *at), steps=5)
        drawn(page)
    assert (area(page, (20, 20), (236, 236)) != before).any()
    page.mouse.move(2, 2)
    drawn(page)
    np.testing.assert_array_equal(area(page, (20, 20), (236, 236)), before)


def test_a_stroke_under_way_looks_as_if_all_were_drawn_at_once(page) -> None:
    page.keyboard.press("1")
    page.mouse.move(*place(page, 60, 40))
    page.mouse.down()
    for at in ((60, 200), (120, 60), (70, 120), (200, 220)):
        page.mouse.move(*place(page, *at), steps=6)
        drawn(page)
    bit_by_bit = area(page, (20, 20), (236, 236))
    page.evaluate("document.querySelector('#canvas').dispatchEvent(new WheelEvent('wheel'))")
    drawn(page)
    at_once = area(page, (20, 20), (236, 236))
    page.mouse.up()
    smoothed = 50  # at the rim, where the browser rounds the corners of longer lines anew
    assert np.abs(at_once.astype(int) - bit_by_bit).max() < smoothed


def drawn(page) -> None:
    """Wait until all that is to be drawn is drawn."""
    page.wait_for_load_state("networkidle")
    frame = "new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))"
    page.evaluate(f"() => {frame}")
