"""Strokes that are deleted by a click, and images in the order one wants."""

from __future__ import annotations

from tests.web.browsing import place, stroke, until


def test_the_stroke_that_is_clicked_is_deleted(page, session) -> None:
    session.set_mode("paused")
    key = session.images[0].key
    for y in (60, 160):
        session.paint(key, [(y, 40), (y, 80)], label=1, radius=3)
    page.wait_for_function("() => !document.querySelector('#undo').disabled")
    page.keyboard.press("d")
    page.wait_for_selector("[data-tool=remove][aria-pressed=true]")
    page.mouse.click(*place(page, 61, 50))
    until(page, lambda: not session.strokes(key)[60].any())
    assert session.strokes(key)[160, 60] == 1
    page.mouse.click(*place(page, 110, 60))
    page.wait_for_selector("#notices >> text=There is no stroke here")
    page.mouse.click(*place(page, 160, 60))
    page.wait_for_selector("#notices >> text=There is no stroke here", state="detached")
    assert not session.strokes(key).any()
    page.keyboard.press("2")  # who chooses a class paints it
    page.wait_for_selector("[data-tool=brush][aria-pressed=true]")


def test_images_are_listed_in_the_order_that_is_chosen(page, session) -> None:
    page.select_option("#image-select", index=1)
    stroke(page, (60, 40), (60, 80))
    page.wait_for_function("() => !document.querySelector('#undo').disabled")
    page.keyboard.press("i")
    page.locator(".card .mark", has_text="painted").wait_for()
    page.locator(".card >> nth=0 >> text=first").wait_for()
    page.select_option("#images-order", "painted")
    page.locator(".card >> nth=0 >> text=second").wait_for()
    page.select_option("#images-order", "name")
    page.locator(".card >> nth=0 >> text=first").wait_for()
