"""Make the screenshots of the tutorial, in docs/images: the first minute with ``stroma paint``.

Runs the program and paints in a real browser (Debian's Chromium, ``apt-get install chromium``) on
a sample of scikit-image. What the pages show is what happened.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from playwright.sync_api import Page, sync_playwright
from skimage.data import immunohistochemistry

from stroma.io import write_image

FOLDER = Path(__file__).parent / "images"
CHROMIUM = os.environ.get("STROMA_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
RUN = "from stroma.cli.app import main; main()"
SIZE = 512
WINDOW = {"width": 1280, "height": 800}
WIDTH = 1024
MILLISECONDS = 600_000
STILL, LOOKS = 3000, 40
COLOURS = 224

EPITHELIUM = (((70, 60), (95, 110)), ((330, 330), (360, 352)), ((190, 390), (150, 420)))
STROMA = (((300, 180), (320, 220)), ((260, 480), (330, 470)))
LUMEN = (((330, 20), (380, 40)), ((110, 335), (170, 365)))
GLANDS = ((398, 323), (150, 420), (400, 95))


def main() -> None:
    """Write all screenshots."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        program(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(MILLISECONDS)
        page.goto(address)
        first_minute(page)
        browser.close()


@contextmanager
def program(folder: Path) -> Iterator[str]:
    """Run ``stroma paint`` on the sample, and yield the address it says."""
    colours = np.moveaxis(immunohistochemistry(), -1, 0)
    image = write_image(folder / "tissue.tif", colours, axes="cyx", rgb=True)
    with serving("paint", image, "--no-browser", folder=folder) as address:
        yield address


@contextmanager
def serving(*words: str | Path, folder: Path) -> Iterator[str]:
    """Run a command of Stroma in a folder, and yield the address it says."""
    command = [sys.executable, "-c", RUN, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as running:
        assert running.stdout is not None
        try:
            found = re.search(r"http://\S+", running.stdout.readline())
            assert found, "the program did not start"
            yield found[0]
        finally:
            running.send_signal(signal.SIGINT)


def first_minute(page: Page) -> None:
    """Paint three classes, look at what is uncertain, and export."""
    page.wait_for_selector("text=Paint a few strokes")
    page.wait_for_timeout(1500)
    keep(page, "paint-open")
    paint(page, "1", EPITHELIUM[:1])
    paint(page, "2", STROMA[:1])
    settle(page)
    keep(page, "paint-two-strokes")
    for name, key in (("epithelium", 1), ("stroma", 2)):
        rename(page, key, name)
    page.click("#add-class")
    rename(page, 3, "lumen")
    for key, strokes in (("3", LUMEN), ("1", EPITHELIUM[1:]), ("2", STROMA[1:])):
        paint(page, key, strokes)
    settle(page)
    keep(page, "paint-corrected")
    page.click("text=Uncertainty")
    page.wait_for_timeout(1000)
    keep(page, "paint-uncertainty")
    page.click("[data-name=labels]")
    page.click("#tab-results")
    page.wait_for_selector("#areas tr:nth-child(3)")
    page.click("#export")
    page.wait_for_selector("#exported a")
    page.click("#notices button")
    keep(page, "paint-results")
    click_objects(page)


def click_objects(page: Page) -> None:
    """Click glands: all but one are committed, one is proposed."""
    page.click("#tab-objects")
    page.wait_for_selector("#click-note >> text=Click an object")
    for at in GLANDS:
        page.mouse.click(*place(page, *at))
        page.wait_for_selector("#click-note >> text=S commits", timeout=MILLISECONDS)
        if at != GLANDS[-1]:
            page.keyboard.press("s")
    page.wait_for_selector(f"#objects-note >> text={len(GLANDS) - 1} objects")
    page.wait_for_timeout(1000)
    keep(page, "objects-clicked")


def paint(page: Page, key: str, strokes: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    """Choose a class by its key, and draw strokes through pixels (y, x) of the image."""
    page.locator("#canvas").focus()
    page.keyboard.press(key)
    for stroke in strokes:
        page.mouse.move(*place(page, *stroke[0]))
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*place(page, *point), steps=8)
        page.mouse.up()


def place(page: Page, y: int, x: int) -> tuple[float, float]:
    """Return where a pixel of the image is on the screen."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = min(box["width"], box["height"]) / SIZE * 0.96
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + (x - SIZE / 2) * scale, middle[1] + (y - SIZE / 2) * scale


def rename(page: Page, label: int, name: str) -> None:
    """Give a class a name."""
    field = page.get_by_label(f"Name of class {label}")
    field.fill(name)
    field.press("Enter")


def settle(page: Page) -> None:
    """Wait until results are there and nothing moves."""
    page.wait_for_timeout(700)
    page.wait_for_selector("text=Up to date", timeout=MILLISECONDS)
    page.wait_for_timeout(700)


def still(page: Page) -> bytes:
    """Return what the page shows once it has not changed for a while: all tiles have come."""
    before, seen = b"", page.screenshot()
    for _ in range(LOOKS):
        if before == seen:
            break
        page.wait_for_timeout(STILL)
        before, seen = seen, page.screenshot()
    return seen


def keep(page: Page, name: str) -> None:
    """Write a screenshot, reduced and with few colours: pages of documentation load fast."""
    picture = Picture.open(io.BytesIO(still(page))).convert("RGB")
    height = round(picture.height * WIDTH / picture.width)
    small = picture.resize((WIDTH, height), Picture.Resampling.LANCZOS)
    few = small.quantize(COLOURS, dither=Picture.Dither.NONE, kmeans=1)
    few.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
