"""Objects that are carved on the page: strokes, the answer on all planes, names; in a browser."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.patience import PATIENCE as SECONDS
from tests.web.browsing import PATIENCE, until
from tests.web.served import served

from stroma.data.image import Image
from stroma.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SIDE = 40
PLACE = {"image": "1", "plane": {"z": 20}}


@pytest.fixture
def carved(tmp_path: Path) -> Iterator[Session]:
    """A session of a volume with a bright ball in its middle."""
    z, y, x = np.indices((SIDE,) * 3)
    image = np.random.default_rng(0).normal(20, 1, (SIDE,) * 3)
    image[(z - 20) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < 64] += 100
    with Session.create(tmp_path / "ball.stroma", mode="demand") as session:
        session.add_image(Image(image.astype(np.float32), "zyx"), name="ball.tif")
        yield session


def test_strokes_are_answered_with_a_mask_and_committed_by_name(carved: Session) -> None:
    with served(carved) as client, client.tab() as tab:

        def ask(command: str, **values: object):
            answer = tab.ask(command, **PLACE, **values)
            assert "error" not in answer, answer
            return answer["result"]

        assert ask("prepare-carving") > 10
        assert "Draw on the object" in ask("carving")["found"]["lacking"]
        ask("carve-stroke", points=[[12, 12]], on=True, radius=2)
        ask("carve-stroke", points=[[1, 1], [1, 38]], on=False, radius=1)
        ask("carve-stroke", points=[[1, 1]], on=True, radius=1)
        ask("take-back-carving")
        found = ask("carving")
        assert (found["count"], len(found["lines"]), found["found"]["lacking"]) == (2, 2, "")
        edges = found["found"]["box"]
        shape = edges["bottom"] - edges["top"], edges["right"] - edges["left"]
        bits = np.unpackbits(np.frombuffer(base64.b64decode(found["found"]["mask"]), np.uint8))
        assert bits[: shape[0] * shape[1]].sum() == pytest.approx(np.pi * 64, rel=0.3)
        assert ask("commit-carved", name="ball", lock=True) == 1
        wrong = tab.ask("correct-objects", kind="delete", objects=[1], **PLACE)
        assert "'ball' is locked" in wrong["error"]
        ask("set-boundaries", boundary="bright", sigma=2, label=0)
        now = ask("carving")
        assert now["how"] == {"boundary": "bright", "sigma": 2, "label": 0}
        assert now["named"] == [{"name": "ball", "number": 1, "frame": 0, "locked": True}]
        ask("lock-carved", name="ball", locked=False)
        ask("reopen-carved", name="ball")
        assert ask("carving")["opened"] == "ball"
        ask("clear-carving")
        assert ask("carving")["opened"] == ""


def drag(page: Page, first: tuple[int, int], last: tuple[int, int], button: str) -> None:
    """Draw a line with a button through pixels of the plane."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = min(box["width"], box["height"]) / SIDE * 0.96
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def at(place: tuple[int, int]) -> tuple[float, float]:
        y, x = place
        return middle[0] + (x - SIDE / 2) * scale, middle[1] + (y - SIDE / 2) * scale

    page.mouse.move(*at(first))
    page.mouse.down(button=button)
    page.mouse.move(*at(last), steps=4)
    page.mouse.up(button=button)


def test_an_object_is_carved_with_two_strokes_and_keys(browser: Browser, carved: Session) -> None:
    carved.prepare_carving("1").result(SECONDS)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with served(carved) as client:
        page.goto(client.address.url)
        page.wait_for_selector("#image-select option", state="attached")
        page.click("#tab-objects")
        page.click("#object-tools [data-name=carve]")
        page.wait_for_selector("#carve-note >> text=Draw on an object")
        drag(page, (11, 11), (13, 13), "left")
        page.wait_for_selector("#carve-note >> text=Draw beside the object")
        drag(page, (1, 1), (1, 38), "right")
        page.wait_for_selector("#carve-note >> text=S commits it")
        drag(page, (38, 1), (38, 20), "right")
        until(page, lambda: len(carved.carving("1").lines) == 3)
        page.keyboard.press("Backspace")
        until(page, lambda: len(carved.carving("1").lines) == 2)
        page.fill("#carve-name", "ball")
        page.locator("#canvas").focus()
        page.keyboard.press("s")
        page.wait_for_selector("[data-carved=ball]")
        page.wait_for_selector("#objects-note >> text=1 objects, held (carved)")
        page.click("[aria-label='Lock ball']")
        page.wait_for_selector("[aria-label='Unlock ball']")
        page.click("[aria-label='Reopen ball']")
        page.wait_for_selector("#carve-note >> text=of ball")
        page.keyboard.press("Escape")
        page.wait_for_selector("#carve-note >> text=Draw on an object")
    context.close()
    assert wrong == []
    labels = carved.objects("1", plane={"z": 20}).found
    assert labels is not None
    assert (labels.labels == 1).sum() == pytest.approx(4 / 3 * np.pi * 512, rel=0.35)


def test_the_list_leads_to_an_object_at_another_time(browser: Browser, tmp_path: Path) -> None:
    y, x = np.indices((SIDE,) * 2)
    frame = np.random.default_rng(0).normal(20, 1, (SIDE,) * 2)
    frame[(y - 12) ** 2 + (x - 12) ** 2 < 64] += 100
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    with Session.create(tmp_path / "disc.stroma", mode="demand") as session:
        session.add_image(Image(np.stack([frame, frame]).astype(np.float32), "tyx"), name="disc")
        at = {"plane": {"t": 1}}
        session.prepare_carving("1", **at).result(SECONDS)
        session.carve_stroke("1", [(12, 12)], **at)
        session.carve_stroke("1", [(1, 1), (1, 38)], on=False, **at)
        session.commit_carved("1", "disc", **at)
        with served(session) as client:
            page.goto(client.address.url)
            page.wait_for_selector("#image-select option", state="attached")
            page.click("#tab-objects")
            page.click("#object-tools [data-name=carve]")
            page.click("[data-carved=disc] .flat")
            page.wait_for_selector("#objects-note >> text=1 objects, 1 selected, held (carved)")
            page.click("#no-objects")
            page.wait_for_selector("#objects-note >> text=There are no objects yet")
            page.wait_for_selector("#delete-objects:disabled")
    context.close()
