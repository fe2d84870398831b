"""How the page itself does: its first paint, and frames while somebody paints.

    python benchmarks/page.py            the numbers of the documentation, about a minute
    python benchmarks/page.py --smoke    a small window, to see that everything runs

The page is opened in Debian's Chromium without a graphics card, in a window as large as a 4K
screen; strokes are drawn by moving the mouse without a pause while the session trains and answers.
For 60 frames a second, a frame may take 16.7 ms of the page's own thread: that time is told by the
browser as time of the processor, which other work on the machine does not lengthen. The bound is
what the browser itself does on this machine: an empty canvas of the same size, on which a square
moves with every frame. Both are measured in turns.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

CHROMIUM = os.environ.get("STROMA_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
WINDOW = {"width": 3840, "height": 2160}
SIDE = 2048
PATIENCE = 600_000
"""Milliseconds."""
STROKES = 3
MOVES = 30
TURNS = 3

COUNT_FRAMES = """() => {
  window.frames_ = [];
  const next = (now) => { window.frames_.push(now); window.frame_ = requestAnimationFrame(next); };
  window.frame_ = requestAnimationFrame(next);
}"""
STOP = "() => { cancelAnimationFrame(window.frame_); return window.frames_; }"
EMPTY = """<body style="margin: 0"><canvas id="canvas" style="display: block"></canvas><script>
  const canvas = document.getElementById("canvas");
  canvas.width = innerWidth;
  canvas.height = innerHeight;
  const context = canvas.getContext("2d");
  let at = 0;
  const next = () => {
    context.clearRect(at, at, 40, 40);
    at = (at + 7) % (innerHeight - 40);
    context.fillRect(at, at, 40, 40);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
</script>"""
"""A page of a canvas on which a square moves."""

FIRST = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--opened", type=int, default=9, help="how often the page is opened")
    given = parser.parse_args()
    side = 256 if given.smoke else SIDE
    window = {"width": 800, "height": 600} if given.smoke else WINDOW
    from playwright.sync_api import sync_playwright

    with served(side) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        first = [
            first_paint(browser, url, window) for _ in range(2 if given.smoke else given.opened)
        ]
        said = f"first paint: median {median(first):.0f} ms, at most {max(first):.0f} ms"
        print(said, flush=True)
        print(f"at rest: {frames(browser, url, window, strokes=0)}", flush=True)
        for _ in range(1 if given.smoke else TURNS):
            print(f"bound: {bound(browser, window)}", flush=True)
            painting = frames(browser, url, window, strokes=2 if given.smoke else STROKES)
            print(f"painting: {painting}", flush=True)
        browser.close()


@contextmanager
def served(side: int) -> Iterator[str]:
    """Serve an image of two textures, and yield the address of its page."""
    from stroma.io import write_image
    from stroma.session import Session
    from stroma.web.serve import claim, server

    with tempfile.TemporaryDirectory() as folder, Session() as session:
        noise = np.random.default_rng(0).normal(0, 20, (side, side))
        values = np.where(np.arange(side) < side // 2, 90, 160) + noise
        path = Path(folder, "texture.tif")
        session.add_image(write_image(path, values.clip(0, 255).astype(np.uint8), axes="yx"))
        place, ready = claim(), threading.Event()
        running = server(session, place, ready=ready.set)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [place.listening]})
        thread.start()
        ready.wait()
        yield place.address.url
        running.should_exit = True
        thread.join()


def first_paint(browser: Any, url: str, window: dict[str, int]) -> float:
    """Return after how many milliseconds something of the page is seen, in a fresh window."""
    context = browser.new_context(viewport=window)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#image-select option", state="attached")
    page.wait_for_function(f"() => {FIRST} !== undefined")
    found = float(page.evaluate(FIRST))
    context.close()
    return found


def frames(browser: Any, url: str, window: dict[str, int], *, strokes: int) -> str:
    """Return what frames took, while strokes are drawn or nothing is done."""
    context = browser.new_context(viewport=window)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#image-select option", state="attached")
    page.wait_for_timeout(1000)
    return _counted(page, lambda: _paint(page, strokes) if strokes else page.wait_for_timeout(3000))


def bound(browser: Any, window: dict[str, int]) -> str:
    """Return what frames take in which next to nothing is drawn."""
    page = browser.new_context(viewport=window).new_page()
    page.set_default_timeout(PATIENCE)
    page.set_content(EMPTY)
    return _counted(page, lambda: page.wait_for_timeout(3000))


def _counted(page: Any, act: Callable[[], object]) -> str:
    """Return what frames take while something is done; the page is closed then."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _metrics(devtools)
    page.evaluate(COUNT_FRAMES)
    act()
    seen = page.evaluate(STOP)
    busy = _metrics(devtools)["TaskDuration"] - before["TaskDuration"]
    page.context.close()
    gaps = np.diff(seen)
    worst = quantiles(gaps, n=20)[-1]
    return (
        f"{1000 / gaps.mean():.0f} frames a second, 19 of 20 within {worst:.1f} ms; "
        f"{1000 * busy / len(gaps):.1f} ms of the page's thread each"
    )


def _metrics(devtools: Any) -> dict[str, float]:
    found = devtools.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in found}


def _paint(page: Any, strokes: int) -> None:
    """Draw strokes of two classes, in both halves of the image."""
    box = page.locator("#canvas").bounding_box()
    for number in range(strokes):
        page.keyboard.press("12"[number % 2])
        x = box["x"] + box["width"] * (0.4, 0.6)[number % 2]
        y = box["y"] + box["height"] * (0.1 + 0.8 * number / strokes)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + box["width"] * 0.08, y + 30, steps=MOVES)
        page.mouse.up()


if __name__ == "__main__":
    main()
