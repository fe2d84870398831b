"""What a person does with the page, and sees of it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Picture
from tests.patience import PATIENCE as SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 1000 * SECONDS
"""Milliseconds."""

BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)
SIZE = 256
"""Rows and columns of the images."""


def tries() -> Iterator[None]:
    """Go on until nobody would wait any longer, however long a try takes."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        yield


def place(page: Page, y: float, x: float) -> tuple[float, float]:
    """Return where a pixel of the image is on the screen, once it is shown as a whole."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = min(box["width"], box["height"]) / SIZE * 0.96
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + (x - SIZE / 2) * scale, middle[1] + (y - SIZE / 2) * scale


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Draw with the pressed button through pixels of the image."""
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=4)
    page.mouse.up()


def paint_both(page: Page) -> None:
    page.keyboard.press("1")
    stroke(page, (60, 40), (60, 80))
    page.keyboard.press("2")
    stroke(page, (60, 170), (60, 215))


def shown(page: Page, y: float, x: float) -> np.ndarray:
    """Return the colour around a pixel of the image, as it is on the screen."""
    sx, sy = place(page, y, x)
    clip = {"x": sx - 4, "y": sy - 4, "width": 8, "height": 8}
    picture = Picture.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    return np.asarray(picture, float).mean(axis=(0, 1))


def area(page: Page, first: tuple[float, float], last: tuple[float, float]) -> np.ndarray:
    """Return the (h, w, 3) colours between two pixels of the image, as they are on the screen."""
    left, top = place(page, *first)
    right, bottom = place(page, *last)
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return np.asarray(Picture.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))


def settled(page: Page) -> None:
    """Wait until the session has answered all that the page asked: a stroke is drawn before."""
    page.wait_for_function("() => !JSON.parse(sessionStorage['stroma.unanswered'] ?? '[]').length")


def wait_for_colour(
    page: Page, at: tuple[float, float], colour: tuple[int, int, int], *, kept: bool = True
) -> None:
    """Wait until the picture has, at a place, the hue of a class laid over grey, and it is kept."""
    wanted = np.subtract(colour, np.mean(colour))
    found = np.zeros(3)
    for _ in tries():
        found = shown(page, *at)
        tint = found - found.mean()
        if np.dot(tint, wanted) > 0.35 * np.dot(wanted, wanted):
            return settled(page) if kept else None
        page.wait_for_timeout(100)
    raise AssertionError(f"{found} at {at} does not look like {colour}")


def wait_for_grey(page: Page, at: tuple[float, float]) -> None:
    """Wait until only the image is seen at a place, and that is kept."""
    found = np.zeros(3)
    for _ in tries():
        found = shown(page, *at)
        if np.ptp(found) < 6:
            return settled(page)
        page.wait_for_timeout(100)
    raise AssertionError(f"{found} at {at} is not grey")


def wait_for_black(page: Page, at: tuple[float, float]) -> None:
    """Wait until no image is seen at a place."""
    found = np.zeros(3)
    for _ in tries():
        found = shown(page, *at)
        if found.max() < 30:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{found} at {at} is not the ground of the page")


def until(page: Page, reached: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in tries():
        if reached():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to that")


def wait_for_image(page: Page, name: str) -> None:
    """Wait until an image is looked at."""
    chosen = f"#image-select option:checked:has-text('{name}')"
    page.wait_for_selector(chosen, state="attached")
