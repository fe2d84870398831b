"""Pens, fingers and the hand that rests on the screen, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.web.browsing import (
    BLUE,
    PATIENCE,
    SIZE,
    area,
    place,
    settled,
    stroke,
    until,
    wait_for_colour,
)


@pytest.fixture
def page(browser, client) -> Iterator[Any]:
    """The page on a screen that takes touches."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    made = context.new_page()
    made.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.goto(client.address.url)
    made.wait_for_selector("text=Paint a few strokes of each class")
    yield made
    context.close()
    assert wrong == []


class Hand:
    """A pen and fingers; positions are (y, x) in pixels of the image, shown as a whole."""

    def __init__(self, page) -> None:
        self.page = page
        self.devices = page.context.new_cdp_session(page)

    def pen(self, kind: str, at: tuple[float, float], **more: Any) -> None:
        x, y = place(self.page, *at)
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "button": "left", **more}
        pressed = {"mousePressed": 1, "mouseMoved": 1, "mouseReleased": 0}[kind]
        self.devices.send("Input.dispatchMouseEvent", {"buttons": pressed, "clickCount": 1} | event)

    def draw(self, *points: tuple[float, float], force: float = 0.5) -> None:
        self.pen("mousePressed", points[0], force=force)
        for point in points[1:]:
            self.pen("mouseMoved", point, force=force)
        self.pen("mouseReleased", points[-1])

    def fingers(self, kind: str, *at: tuple[float, float]) -> None:
        places = [place(self.page, *one) for one in at]
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        self.devices.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
def hand(page) -> Hand:
    return Hand(page)


def scale(page) -> float:
    return float(page.inner_text("#zoom-fit").split()[0])


def painted(session) -> set[tuple[int, int]]:
    return set(map(tuple, np.argwhere(session.strokes("1")).tolist()))


def test_a_pen_paints_however_hard_it_is_pressed(page, hand, session) -> None:
    hand.draw((60, 40), (60, 60), (60, 80), force=0.1)
    hand.draw((160, 40), (160, 60), (160, 80), force=1.0)
    wait_for_colour(page, (160, 60), BLUE)
    light, hard = session.strokes("1")[40:80], session.strokes("1")[140:180]
    assert light[20, 60] == 1
    np.testing.assert_array_equal(light, hard)


def test_a_finger_paints_until_a_pen_is_seen_and_then_moves_the_image(page, hand, session) -> None:
    hand.fingers("touchStart", (60, 40))
    hand.fingers("touchMove", (60, 80))
    hand.fingers("touchEnd")
    wait_for_colour(page, (60, 60), BLUE)
    hand.draw((120, 40), (120, 80))
    wait_for_colour(page, (120, 60), BLUE)
    before = painted(session)
    hand.fingers("touchStart", (200, 40))
    hand.fingers("touchMove", (180, 60))
    hand.fingers("touchMove", (160, 80))
    hand.fingers("touchEnd")
    wait_for_colour(page, (80, 100), BLUE)
    settled(page)
    assert painted(session) == before


def test_the_hand_that_holds_the_pen_neither_paints_nor_zooms(page, hand, session) -> None:
    before = scale(page)
    hand.pen("mousePressed", (60, 40))
    hand.pen("mouseMoved", (60, 60))
    hand.fingers("touchStart", (200, 200))
    hand.fingers("touchMove", (220, 220))
    hand.pen("mouseMoved", (60, 80))
    hand.fingers("touchEnd")
    hand.pen("mouseReleased", (60, 80))
    wait_for_colour(page, (60, 70), BLUE)
    settled(page)
    assert {y for y, _ in painted(session)} < set(range(50, 70))
    assert scale(page) == before
    session.undo()
    assert session.undoable is None


@pytest.mark.parametrize("places", [[(200, 200)], [(200, 200), (230, 230)]])
def test_a_hand_that_comes_down_before_its_pen_paints_nothing(page, hand, session, places) -> None:
    for count in range(len(places)):
        hand.fingers("touchStart", *places[: count + 1])
    hand.fingers("touchMove", *places)
    hand.draw((60, 40), (60, 80))
    hand.fingers("touchEnd")
    wait_for_colour(page, (60, 60), BLUE)
    settled(page)
    assert {y for y, _ in painted(session)} < set(range(50, 70))


def pinch(hand: Hand, middle: tuple[float, float]) -> None:
    y, x = middle
    hand.fingers("touchStart", (y, x - 16))
    hand.fingers("touchStart", (y, x - 16), (y, x + 16))
    for apart in range(18, 42, 2):
        hand.fingers("touchMove", (y, x - apart), (y, x + apart))
    hand.fingers("touchEnd")


def test_two_fingers_zoom_around_their_middle_and_paint_nothing(page, hand, session) -> None:
    session.paint("1", [(60, 60)], label=1, radius=8)
    wait_for_colour(page, (60, 60), BLUE)
    before = scale(page)
    pinch(hand, (60, 60))
    page.wait_for_function(
        "([low, high]) => { const now = parseFloat(document.querySelector('#zoom-fit').innerText);"
        " return low < now && now < high; }",
        arg=[2.2 * before, 2.8 * before],
    )
    wait_for_colour(page, (60, 60), BLUE)
    wait_for_colour(page, (60, 74), BLUE)  # 8 pixels away before, 20 now
    settled(page)
    session.undo()
    assert session.undoable is None


def test_a_third_finger_paints_nothing(page, hand, session) -> None:
    spots = [(100, 60), (100, 100), (140, 80)]
    for count in (1, 2, 3):
        hand.fingers("touchStart", *spots[:count])
    hand.fingers("touchMove", (100, 50), (100, 110), (160, 80))
    hand.fingers("touchEnd")
    page.wait_for_timeout(200)
    settled(page)
    assert session.undoable is None


def test_zooming_with_two_fingers_keeps_the_corners_of_a_polygon(page, hand, session) -> None:
    page.keyboard.press("p")
    for corner in ((40, 40), (40, 100), (100, 100)):
        page.mouse.click(*place(page, *corner))
    before = scale(page)
    pinch(hand, (128, 128))
    until(page, lambda: scale(page) > 2 * before)
    page.keyboard.press("0")
    until(page, lambda: scale(page) == before)
    page.mouse.click(*place(page, 100, 40))
    page.keyboard.press("Enter")
    wait_for_colour(page, (70, 70), BLUE)
    filled = session.strokes("1")
    assert filled[42:98, 42:98].all()
    assert filled.sum() < 64 * 64 < SIZE * SIZE


def test_a_double_click_closes_a_polygon(page, session) -> None:
    page.keyboard.press("p")
    for corner in ((40, 40), (40, 100), (100, 100)):
        page.mouse.click(*place(page, *corner))
    page.mouse.dblclick(*place(page, 100, 40))
    wait_for_colour(page, (70, 50), BLUE)
    assert session.strokes("1")[42:98, 42:98].all()


def test_the_wand_and_the_bucket_paint_a_region_with_one_press(page, session) -> None:
    session.set_mode("paused")
    key = session.images[0].key
    page.keyboard.press("2")
    page.keyboard.press("w")
    page.get_by_label("Reach").fill("70")
    page.mouse.click(*place(page, 100, 200))
    page.wait_for_function("() => !document.querySelector('#undo').disabled")
    painted = session.strokes(key)
    assert (painted[:, SIZE // 2 + 4 :] == 2).mean() > 0.9
    assert not painted[:, : SIZE // 2 - 4].any()
    page.keyboard.press("Control+z")
    page.wait_for_function("() => document.querySelector('#undo').disabled")
    page.keyboard.press("b")
    stroke(page, (40, 40), (40, 80), (80, 80), (80, 40), (40, 40))
    page.wait_for_function("() => !document.querySelector('#undo').disabled")
    page.keyboard.press("g")
    page.mouse.click(*place(page, 60, 60))
    until(page, lambda: session.strokes(key)[60, 60] == 2)
    assert (session.strokes(key)[40:80, 40:80] == 2).all()


WATCH = """() => {
  window.drawn = [];
  const plain = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (x, y, width, height) {
    if (this.canvas.id === "canvas") {
      window.drawn.push((width * height) / (this.canvas.width * this.canvas.height));
    }
    plain.call(this, x, y, width, height);
  };
}"""
"""Notes which share of the canvas is drawn anew each time."""


def frames(page, count: int = 2) -> None:
    """Let what was asked for be drawn."""
    for _ in range(count):
        page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")


def test_a_polygon_that_is_drawn_does_not_draw_the_whole_image_anew_at_each_move(page) -> None:
    page.keyboard.press("1")
    page.get_by_role("button", name="Polygon").click()
    for corner in ((100, 60), (110, 90)):
        page.mouse.click(*place(page, *corner))
    page.mouse.move(*place(page, 120, 60))
    frames(page, 20)  # what the clicks asked for
    page.evaluate(WATCH)
    for at in ((140, 70), (150, 95), (125, 110)):
        page.mouse.move(*place(page, *at))
        frames(page)
    shares = page.evaluate("window.drawn")
    assert shares
    assert max(shares) < 0.1
    moved = area(page, (60, 30), (180, 150))
    for width in (1281, 1280):  # either draws everything
        page.evaluate("window.drawn.length = 0")
        page.set_viewport_size({"width": width, "height": 800})
        until(page, lambda: max(page.evaluate("window.drawn"), default=0) >= 1)
    frames(page, 20)
    assert np.array_equal(area(page, (60, 30), (180, 150)), moved)
