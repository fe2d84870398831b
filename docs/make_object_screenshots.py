"""Make the pictures of the tutorial on objects, in docs/images, by doing what it says.

Runs ``stroma paint`` on the images that the tutorial makes, paints, clicks and corrects in a real
browser, writes files, and then does the same to ten more images on the command line. Stops where
the page and the command line do not write the same numbers.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
from make_screenshots import (
    ARGUMENTS,
    CHROMIUM,
    FOLDER,
    MILLISECONDS,
    RUN,
    keep,
    serving,
    settle,
)
from playwright.sync_api import Page, sync_playwright
from scipy import ndimage

from stroma.io import read_image, write_image
from stroma.session import Session

Button = Literal["left", "right"]
TUTORIAL = Path(__file__).parent / "tutorials" / "objects.md"
WINDOW = {"width": 1280, "height": 1000}
SHAPE = 400, 520
MORE = 10
LEAST = 50
AROUND = 34
"""Pixels from the middle of a nucleus to the stroke around it."""
BETWEEN = (158.0, 343.0), (162.0, 343.0)
"""A stroke of background between nuclei that are near each other."""
CARVED = 3
"""Steps that were done to show carving: dropping the objects, and two strokes."""
FOUND = "--class", "foreground", "--split", "1", "--min-size", str(LEAST)


def main() -> None:
    """Write all pictures."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        images(folder)
        words = "paint", "nuclei.tif", "--project", "nuclei.stroma", "--no-browser"
        with serving(*words, folder=folder) as address:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(viewport=WINDOW)
            page.set_default_timeout(MILLISECONDS)
            page.goto(address)
            walk(page, folder)
            browser.close()
        compare(folder)


def images(folder: Path) -> None:
    """Make the images of the tutorial by its own code, and more like them."""
    code = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)[0]
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for seed in range(2, 2 + MORE - 1):
        random = np.random.default_rng(seed)
        image = random.normal(20, 6, y.shape)
        for _ in range(60):
            middle = random.uniform(20, 380), random.uniform(20, 500)
            radius = random.choice([8, 16]) * random.uniform(0.9, 1.1)
            disc = (y - middle[0]) ** 2 + (x - middle[1]) ** 2 < radius**2
            image[disc] += random.uniform(60, 120)
        write_image(folder / f"later{seed}.tif", image.clip(0, 255).astype(np.uint8), axes="yx")


def walk(page: Page, folder: Path) -> None:
    """Paint, split, click five of a kind, correct two, and write files."""
    labels, _ = ndimage.label(read_image(folder / "nuclei.tif").read() > 55)
    sizes = np.bincount(labels.ravel())
    middles = ndimage.center_of_mass(labels > 0, labels, np.arange(1, len(sizes)))
    small = [at for at, size in zip(middles, sizes[1:], strict=True) if 120 < size < 260]
    large = [at for at, size in zip(middles, sizes[1:], strict=True) if 600 < size < 1000]
    page.wait_for_selector("text=Paint a few strokes")
    page.wait_for_timeout(1000)
    draw(page, "2", [large[0], (large[0][0], large[0][1] + 6)])
    draw(page, "1", [background(labels), (background(labels)[0], background(labels)[1] + 12)])
    draw(page, "1", list(BETWEEN))
    settle(page)
    page.click("#tab-objects")
    page.select_option("#object-class-of", label="foreground")
    page.click("#follow-objects")
    page.wait_for_selector("#objects-note >> text=following the segmentation")
    slide(page, "Part at necks", 1)
    slide(page, "Least size (px)", LEAST)
    page.wait_for_timeout(1500)
    for key, places in (("1", small[:5]), ("2", large[:5])):
        page.locator("#canvas").focus()
        page.keyboard.press(key)
        for at in places:
            page.mouse.click(*place(page, *at))
            page.wait_for_timeout(400)
    page.wait_for_selector("#object-rows tr td:nth-child(2):has-text('kind 2')")
    for label, name in ((1, "small"), (2, "large")):
        field = page.locator(f"#object-classes [data-key='name {label}']")
        field.fill(name)
        field.press("Enter")
    page.wait_for_timeout(2000)
    keep(page, "objects-page")
    correct(page, large)
    for name in ("csv", "geojson", "tif"):
        page.check(f"#object-{name}")
    page.check("text=Classes, for other files (.pkl)")
    page.click("#export-objects")
    page.wait_for_selector("#object-files a:nth-child(4)")
    page.click("#tab-results")
    with page.expect_download():
        page.click("#save-model")
    carve(page, next(at for at in large if inside(at)))


def carve(page: Page, middle: tuple[float, float]) -> None:
    """Carve a nucleus with a stroke on it and one around it."""
    y, x = middle
    page.click("#tab-objects")
    page.click("#no-objects")
    page.click("#object-tools [data-name=carve]")
    page.wait_for_selector("#carve-note >> text=Draw on an object")
    line(page, [(y - 5, x), (y + 5, x)])
    page.wait_for_selector("#carve-note >> text=Draw beside the object")
    corners = (-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)
    line(page, [(y + AROUND * a, x + AROUND * b) for a, b in corners], button="right")
    page.wait_for_selector("#carve-note >> text=S commits it")
    page.wait_for_timeout(1000)
    keep(page, "objects-carved")


def inside(middle: tuple[float, float]) -> bool:
    """Tell whether the stroke around a nucleus lies in the image."""
    return all(AROUND < at < side - AROUND for at, side in zip(middle, SHAPE, strict=True))


def correct(page: Page, large: list[tuple[float, float]]) -> None:
    """Cut a nucleus in two, and merge the halves of it again."""
    y, x = large[-1]
    page.locator("#canvas").focus()
    page.keyboard.press("c")
    page.mouse.move(*place(page, y - 25, x))
    page.mouse.down()
    page.mouse.move(*place(page, y + 25, x), steps=8)
    page.mouse.up()
    page.wait_for_selector("#objects-note >> text=held")
    page.wait_for_timeout(1500)
    page.keyboard.press("q")
    page.mouse.click(*place(page, y, x - 6))
    page.keyboard.down("Shift")
    page.mouse.click(*place(page, y, x + 6))
    page.keyboard.up("Shift")
    page.wait_for_selector("#objects-note >> text=2 selected")
    keep(page, "objects-corrected")
    page.keyboard.press("m")
    page.wait_for_selector("#objects-note >> text=1 selected")


def background(labels: np.ndarray) -> tuple[float, float]:
    """Return the place that is farthest from all nuclei and from the border."""
    away = ndimage.distance_transform_edt(np.pad(labels == 0, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(away.argmax(), away.shape)
    return float(y), float(x)


def slide(page: Page, title: str, value: float) -> None:
    """Move a slider."""
    page.get_by_label(title).first.fill(str(value))


def draw(page: Page, key: str, points: list[tuple[float, float]]) -> None:
    """Choose a class by its key, and draw a stroke through pixels (y, x) of the image."""
    page.locator("#canvas").focus()
    page.keyboard.press(key)
    line(page, points)


def line(page: Page, points: list[tuple[float, float]], *, button: Button = "left") -> None:
    """Draw through pixels (y, x) of the image."""
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down(button=button)
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=8)
    page.mouse.up(button=button)


def place(page: Page, y: float, x: float) -> tuple[float, float]:
    """Return where a pixel of the image is on the screen."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = min(box["width"] / SHAPE[1], box["height"] / SHAPE[0]) * 0.96
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + (x + 0.5 - SHAPE[1] / 2) * scale, middle[1] + (
        y + 0.5 - SHAPE[0] / 2
    ) * scale


def compare(folder: Path) -> None:
    """Class all images on the command line; the project must find the same numbers in each."""
    results = folder / "nuclei.stroma" / "results"
    assert headless(folder, "nuclei", results / "nuclei_objects.tif", ()) == rows(
        results / "nuclei_table.csv"
    ), "the page and the command line differ"
    with Session.open(folder / "nuclei.stroma") as session:
        for _ in range(CARVED):
            session.undo()
        label = next(one.label for one in session.classes if one.name == "foreground")
        more = sorted(folder.glob("later*.tif"))
        assert len(more) == MORE, f"{len(more)} more images"
        stroma(folder, "segment", results / "model.pkl", *more, "--out", folder / "out")
        for path in more:
            key = session.add_image(path)
            session.find_objects(key, label=label, split=1, min_size=LEAST).result()
            session.export_objects(key, folder / "own", formats=["csv"]).result()
            found = headless(folder, path.stem, folder / "out" / f"{path.stem}_labels.tif", FOUND)
            assert found == rows(folder / "own" / f"{path.stem}_table.csv"), f"{path.name} differs"
            print(f"{path.name}: {len(found)} objects, the same numbers", flush=True)


def headless(folder: Path, stem: str, labels: Path, how: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the table of the objects of an image as the command line writes it."""
    table = folder / f"{stem}_again.csv"
    image = folder / f"{stem}.tif"
    model = folder / "nuclei.stroma" / "results" / "object_classes.pkl"
    stroma(folder, "objects", labels, *how, "--image", image, "--model", model, "--table", table)
    return rows(table)


def stroma(folder: Path, *words: str | Path) -> None:
    """Run the command line."""
    subprocess.run([sys.executable, "-c", RUN, *map(str, words)], cwd=folder, check=True)


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    main()
