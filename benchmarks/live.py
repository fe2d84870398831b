"""How soon a stroke is answered, measured over the socket, as the page sees it.

    python benchmarks/live.py            the numbers of the documentation, about two minutes
    python benchmarks/live.py --smoke    small images, to see that everything runs

The server runs in a process of its own; this process paints, and listens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect

VIEW = 1024
ROUNDS = 9
PAINT_SECONDS = 20.0
PAUSE_SECONDS = 0.15
WATCH_SECONDS = 0.002
PATIENCE = 120.0
MISSING = 10**9


# ---------------------------------------------------------------------- the server's process


def run_server(image: Path, pipe: Connection) -> None:
    """Serve an image, and watch how long the event loop does not come round."""
    asyncio.run(_run_server(image, pipe))


async def _run_server(image: Path, pipe: Connection) -> None:
    from stroma.session import Session
    from stroma.web.serve import claim, server

    session, place = Session(), claim()
    session.add_image(image)
    longest = [0.0]

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(WATCH_SECONDS)
            longest[0] = max(longest[0], time.perf_counter() - before - WATCH_SECONDS)

    async def answer() -> None:
        while True:
            await asyncio.to_thread(pipe.recv)
            pipe.send((longest[0], *_memory()))
            longest[0] = 0.0

    watching = [asyncio.create_task(watch()), asyncio.create_task(answer())]
    pipe.send(place.address)
    await server(session, place).serve(sockets=[place.listening])
    for task in watching:
        task.cancel()


def _memory() -> tuple[float, float]:
    """Return what the process has in memory, and the most it had, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines)
    now, most = (int(said[key].split()[0]) / 1000 for key in ("VmRSS", "VmHWM"))
    return now, most


# ---------------------------------------------------------------------- the page's part


@dataclass
class Page:
    """What a tab does: it says what it looks at, paints, and hears what is ready."""

    socket: ClientConnection
    address: Any
    cookie: str
    pipe: Connection
    size: int

    def ask(self, command: str, **values: Any) -> str:
        """Send a command, and return its number."""
        number = uuid.uuid4().hex
        self.socket.send(json.dumps({"id": number, "do": command, **values}))
        return number

    def look(self, top: int, left: int, side: int) -> None:
        """Look at a square."""
        box = {"top": top, "left": left, "bottom": top + side, "right": left + side}
        self.ask("look", image="1", plane={}, box=box)

    def paint(self, y: float, x: float, label: int) -> str:
        """Paint a stroke of about 60 pixels."""
        points = [[y + 3 * np.sin(i), x + 4 * i] for i in range(15)]
        return self.ask("paint", image="1", plane={}, points=points, radius=4, label=label)

    def heard(self, seconds: float = PATIENCE) -> Iterator[dict[str, Any]]:
        """Yield what the server says, until it is silent for too long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            try:
                yield json.loads(self.socket.recv(timeout=left))
            except TimeoutError:
                return

    def rest(self) -> None:
        """Wait until the session has nothing left to do."""
        for told in self.heard(1.0):
            if told.get("event") == "state" and told["state"]["working"]:
                self._until_idle()
                return

    def _until_idle(self) -> None:
        for told in self.heard():
            if told.get("event") == "state" and not told["state"]["working"]:
                return

    def tile(self, row: int, column: int) -> int:
        """Fetch a tile of the result, as it is drawn, and return its size in bytes."""
        host = f"http://127.0.0.1:{self.address.port}"
        request = urllib.request.Request(f"{host}/images/1/labels/1/{row}/{column}")
        request.add_header("Cookie", self.cookie)
        with urllib.request.urlopen(request) as answer:
            return len(answer.read())

    def loop_and_memory(self) -> tuple[float, float, float]:
        """Return the longest time the loop was blocked since last asked, and the memory."""
        self.pipe.send("?")
        blocked, now, most = self.pipe.recv()
        return blocked, now, most


@contextmanager
def opened(image: Path, size: int) -> Iterator[Page]:
    """Yield a page that shows an image on a server of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_server, args=(image, theirs), daemon=True)
    process.start()
    address = ours.recv()
    cookie = f"{address.cookie}={address.token}"
    origin = f"http://127.0.0.1:{address.port}"
    headers = {"Cookie": cookie, "Origin": origin}
    url = f"ws://127.0.0.1:{address.port}/socket"
    try:
        with connect(url, additional_headers=headers, max_size=None) as socket:
            yield Page(socket, address, cookie, ours, size)
    finally:
        process.terminate()
        process.join()


# ---------------------------------------------------------------------- what is measured


@dataclass
class Answered:
    """Seconds from the end of a stroke to what the page was told."""

    coarse: float = float("nan")
    tile: float = float("nan")
    final: float = float("nan")
    plane: float = float("nan")


def answered(page: Page, top: int, left: int, side: int, label: int, whole: bool) -> Answered:
    """Paint a stroke, and time what follows."""
    steps = np.full((side // 16, side // 16), MISSING)
    start = time.perf_counter()
    page.paint(top + side * 0.1 + side * 0.8 * np.random.rand(), left + side / 2, label)
    found, revision = Answered(), MISSING
    for told in page.heard():
        now = time.perf_counter() - start
        if told.get("event") == "strokes":
            revision = told["revision"]
        if told.get("revision", -1) < revision:
            continue
        if told["event"] == "round" and told["what"] == "finished":
            found.plane = now
            break
        if told["event"] != "block":
            continue
        _cover(steps, told, top, left)
        if np.isnan(found.coarse) and steps.max() < MISSING:
            found.coarse = now
            page.tile((top + side // 2) // 512, (left + side // 2) // 512)
            found.tile = time.perf_counter() - start
        if np.isnan(found.final) and steps.max() == 1:
            found.final = now
            if not whole:
                break
    return found


def _cover(steps: np.ndarray, told: dict[str, Any], top: int, left: int) -> None:
    box = told["box"]
    rows = slice(max(0, (box["top"] - top) // 16), max(0, -(-(box["bottom"] - top) // 16)))
    columns = slice(max(0, (box["left"] - left) // 16), max(0, -(-(box["right"] - left) // 16)))
    steps[rows, columns] = np.minimum(steps[rows, columns], told["step"])


def rounds_a_minute(page: Page, top: int, left: int, side: int, seconds: float) -> float:
    """Paint without pause, and count how often the model was trained."""
    trained, start, label = 0, time.perf_counter(), 1
    while time.perf_counter() - start < seconds:
        label = 3 - label
        page.paint(top + side * np.random.rand() * 0.9, left + side * 0.4, label)
        for told in page.heard(PAUSE_SECONDS):
            trained += told.get("event") == "round" and told["what"] == "trained"
    return trained * 60 / seconds


def measured(name: str, image: Path, size: int, side: int, rounds: int, seconds: float) -> None:
    """Print a line of the table."""
    whole = size <= 2048
    top = left = (size - side) // 2 // 16 * 16
    with opened(image, size) as page:
        page.look(top, left, side)
        page.rest()
        page.paint(top + side * 0.2, left + side * 0.2, 1)
        page.paint(top + side * 0.7, left + side * 0.2, 2)
        page.rest()
        page.loop_and_memory()
        all_found = []
        for i in range(rounds):
            all_found.append(answered(page, top, left, side, 1 + i % 2, whole))
            if whole:
                page.rest()
        rate = rounds_a_minute(page, top, left, side, seconds)
        blocked, now, most = page.loop_and_memory()
    line = [_ms([getattr(f, key) for f in all_found]) for key in vars(Answered())]
    print(
        f"| {name} | {' | '.join(line)} | {rate:.0f} | {1000 * blocked:.0f} ms "
        f"| {now:.0f} / {most:.0f} MB |",
        flush=True,
    )


def _ms(seconds: list[float]) -> str:
    known = [s for s in seconds if not np.isnan(s)]
    if not known:
        return "-"
    return f"{1000 * median(known):.0f} ms (worst {1000 * max(known):.0f})"


def texture(size: int) -> np.ndarray:
    """Return an image with blobs of two brightnesses and noise; larger ones repeat."""
    import cv2

    random = np.random.default_rng(0)
    side = min(size, 2048)
    smooth = cv2.GaussianBlur(random.normal(size=(side, side)).astype(np.float32), (0, 0), 12)
    fine = cv2.GaussianBlur(random.normal(size=(side, side)).astype(np.float32), (0, 0), 1)
    values = 110 + 60 * np.tanh(smooth / smooth.std()) + 18 * fine / fine.std()
    values = np.clip(values, 0, 255).astype(np.uint8)
    return np.tile(values, (size // side, size // side))


def main() -> None:
    """Make the images, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="small images, few rounds")
    smoke = parser.parse_args().smoke
    sizes = {"zarr": 512} if smoke else {"tif": 2048, "zarr": 16384}
    side, rounds, seconds = (256, 2, 0.5) if smoke else (VIEW, ROUNDS, PAINT_SECONDS)
    print(
        "| image | coarse | coarse, tile fetched | final | whole plane | rounds/min "
        "| loop blocked | memory now / most |\n|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        for ending, size in sizes.items():
            from stroma.io import write_image

            path = write_image(Path(folder) / f"texture.{ending}", texture(size), axes="yx")
            name = f"{size} x {size} {ending}, {side} x {side} in view"
            measured(name, path, size, side, rounds, seconds)


if __name__ == "__main__":
    main()
