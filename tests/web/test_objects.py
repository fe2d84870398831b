"""Objects on the page: clicked, classed, corrected and written; in a real browser and without."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.session.scene import settle
from tests.web.browsing import PATIENCE, SIZE, area, place, settled, stroke, until
from tests.web.served import served

from stroma.io import write_labels
from stroma.session import Session

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute

SIDE = 64


def squares() -> np.ndarray:
    """Twelve squares, 1 to 12: large, small, large ... and so on."""
    made = np.zeros((SIZE, SIZE), np.int32)
    for i in range(12):
        side = 20 if i % 2 else 40
        y, x = 10 + (i // 4) * SIDE, 10 + (i % 4) * SIDE
        made[y : y + side, x : x + side] = i + 1
    return made


@pytest.fixture
def held(tmp_path):
    """A session with squares that are objects."""
    with Session.create(tmp_path / "squares.stroma", mode="demand") as session:
        key = session.add_image((squares() > 0) * np.float32(200), name="squares.tif")
        session.look(key)
        session.set_objects(key, squares())
        settle(session)
        yield session


def test_tiles_hold_the_numbers_of_objects(held) -> None:
    with served(held) as client:
        answer = client.get("/images/1/objects/1/0/0")
        height, width = map(int, answer.headers["x-shape"].split())
        values = np.frombuffer(zlib.decompress(answer.body), "<u4").reshape(height, width)
        assert np.array_equal(values, squares())
        assert client.get("/images/1/objects/4/0/0").headers["x-shape"] == "64 64"
        held.no_objects("1")
        assert client.get("/images/1/objects/1/0/0").status == 204


def ask(tab, command, **values):
    answer = tab.ask(command, **values)
    assert "error" not in answer, answer
    return answer["result"]


def test_the_page_asks_and_changes_what_the_session_holds(held) -> None:
    place_of = {"image": "1", "plane": {}}
    with served(held) as client, client.tab() as tab:
        found = ask(tab, "objects", **place_of)
        assert (found["state"], found["kept"], len(found["rows"]["label"])) == ("current", True, 12)
        assert "area_px" in found["measures"]
        values = ask(tab, "object-values", names=["area_px"], **place_of)
        assert values["area_px"][:2] == [1600, 400]
        assert ask(tab, "object-at", y=12.5, x=12.5, **place_of) == 1
        ask(tab, "label-objects", objects=[1], label=1, **place_of)
        ask(tab, "label-objects", objects=[2], label=2, **place_of)
        settle(held)
        found = ask(tab, "objects", **place_of)
        assert found["rows"]["class"] == [1, 2] * 6
        assert ask(tab, "next-object", **place_of)["number"] > 2
        label = ask(tab, "add-object-class")
        ask(tab, "change-object-class", label=label, name="odd")
        ask(tab, "remove-object-class", label=label)
        ask(tab, "object-model", classifier="logistic")
        ask(tab, "correct-objects", kind="merge", objects=[3, 4], **place_of)
        settle(held)
        found = ask(tab, "objects", **place_of)
        assert (found["classifier"], len(found["rows"]["label"])) == ("logistic", 11)
        names = ask(tab, "export-objects", image="1", formats=["csv", "geojson"], model=True)
        assert names == ["squares_table.csv", "squares_objects.geojson", "object_classes.pkl"]
        assert client.get(f"/results/{names[0]}").status == 200
        ask(tab, "follow-objects", image="1", label=2, split=0, min_size=3, border=False)
        assert ask(tab, "objects", **place_of)["how"]["min_size"] == 3
        ask(tab, "follow-objects", image="1", label=2, boundary=1)
        assert ask(tab, "objects", **place_of)["how"]["boundary"] == 1


def label_image(folder, labels) -> bytes:
    write_labels(folder / "sent.tif", labels, axes="yx")
    return (folder / "sent.tif").read_bytes()


def test_a_label_image_that_is_sent_holds_the_objects_with_its_numbers(held, tmp_path) -> None:
    with served(held) as client:
        where = "/uploads/objects?image=1&name=other.tif"
        assert client.post(where, label_image(tmp_path, squares() * 7)).status == 200
        assert held.object_source("1").source == "other.tif"
        settle(held)
        assert held.objects("1").found.table["label"].tolist() == [7 * n for n in range(1, 13)]
        refused = client.post(where, label_image(tmp_path, squares()[:30]))
        assert refused.status == 400
        assert "Give a label image of this image" in refused.body.decode()
        held.undo()
        assert held.object_source("1").source == "label image"


def test_a_table_that_is_sent_joins_the_objects(held) -> None:
    with served(held) as client, client.tab() as tab:
        where = "/uploads/table?image=1&name=other.csv"
        assert client.post(where, b"label,Ki67,class\n1,0.5,tumour\n2,3,other\n").status == 200
        settle(held)
        found = held.objects("1").found
        assert found.table["Ki67"][:2].tolist() == [0.5, 3]
        told = ask(tab, "objects", image="1", plane={})
        assert "Ki67" in told["measures"]
        assert {"tumour", "other"} <= {one["name"] for one in told["classes"]}
        refused = client.post(where, b"area\n1\n")
        assert refused.status == 400
        assert "other.csv has no column with the numbers of objects" in refused.body.decode()
        assert client.post(where.replace(".csv", ".xyz"), b"a").status == 400
        assert "gaussian_features" in ask(tab, "object-features")
        ask(tab, "object-model", extractors=["gaussian_features"])
        settle(held)
        told = ask(tab, "objects", image="1", plane={})
        assert told["extractors"] == ["gaussian_features"]
        assert any(name.startswith("embedding_") for name in told["measures"])


def is_coloured(page) -> bool:
    """Tell whether the bounds of the first square, which is bright, are seen on the grey image."""
    return int(np.ptp(area(page, (6, 20), (16, 40)).astype(int), axis=-1).max()) > 60


def test_objects_are_clicked_corrected_and_chosen_in_the_browser(browser, held, tmp_path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with served(held) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        page.wait_for_selector("#objects-note >> text=12 objects, held")
        until(page, lambda: is_coloured(page))
        page.keyboard.press("1")
        page.mouse.click(*place(page, 30, 30))
        page.wait_for_selector("tr[data-object='1'] >> text=kind 1 ✓")
        page.keyboard.press("2")
        page.mouse.click(*place(page, 20, 84))
        page.wait_for_selector("tr[data-object='2'] >> text=kind 2 ✓")
        page.wait_for_selector("tr[data-object='11'] >> text=kind 1")
        page.click("tr[data-object='3'] td:first-child")
        page.wait_for_selector("#objects-note >> text=1 selected")
        page.keyboard.press("Delete")
        page.wait_for_selector("tr[data-object='3']", state="detached")
        page.keyboard.press("Control+z")
        page.wait_for_selector("tr[data-object='3']")
        page.keyboard.press("0")
        page.keyboard.press("c")
        stroke(page, (36, 130), (36, 186))
        page.wait_for_selector("tr[data-object='13']")
        page.keyboard.press("d")
        stroke(page, (52, 52), (52, 62), (62, 62), (62, 52))
        page.wait_for_selector("tr[data-object='14']")
        page.keyboard.press("q")
        page.mouse.click(*place(page, 57, 57))
        page.wait_for_selector("tr[data-object='14'][aria-selected='true']")
        page.keyboard.press("g")
        stroke(page, (30, 52), (30, 62), (40, 62), (40, 52))
        until(page, lambda: (held.object_labels("1")[31:39, 53:61] == 14).all())
        assert held.objects("1").found.table.rows == 14
        label_image(tmp_path, squares() * 5)
        page.set_input_files("#objects-file", tmp_path / "sent.tif")
        page.wait_for_selector("#objects-note >> text=12 objects, held (sent.tif)")
        page.wait_for_selector("tr[data-object='60']")
    context.close()
    assert wrong == []


class Line:
    """What the session tells a page: passed on at once, or kept for later where that is asked."""

    def __init__(self, page: Page) -> None:
        self.keeps: Callable[[str], bool] = lambda message: False
        self.kept: list[str] = []
        page.route_web_socket("**/socket", self._join)

    def _join(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.connect_to_server().on_message(self._pass)

    def _pass(self, message: str) -> None:
        if self.keeps(message):
            self.kept.append(message)
        else:
            self._socket.send(message)

    def give(self, wanted: Callable[[str], bool]) -> None:
        """Pass on those kept messages that are wanted."""
        now = [one for one in self.kept if wanted(one)]
        self.kept = [one for one in self.kept if not wanted(one)]
        for one in now:
            self._socket.send(one)


def says_objects(message: str) -> bool:
    """Tell whether a message answers which objects there are."""
    result = json.loads(message).get("result")
    return isinstance(result, dict) and "measures" in result


def unanswered(page: Page) -> list[str]:
    """Return the names of what a page asked and has no answer to."""
    waiting = json.loads(page.evaluate("sessionStorage['stroma.unanswered'] ?? '[]'"))
    return [one["do"] for one in waiting]


TIMERS = "() => new Promise((done) => setTimeout(done, 300))"
"""Kept after all timers of a page that were set before and wait for less."""


def test_an_answer_from_before_takes_back_no_choice_of_how_objects_are_found(browser, held) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    line = Line(page)

    def found_by(split: float, least: float) -> bool:
        how = held.object_source("1").how
        return how is not None and (how.split, how.min_size) == (split, least)

    def answered() -> bool:
        line.give(lambda message: isinstance(json.loads(message).get("result"), dict))
        return not {"objects", "object-values"} & set(unanswered(page))

    def held_back() -> bool:
        asked = unanswered(page)
        return asked == ["objects"] * sum(map(says_objects, line.kept)) != []

    with served(held) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        page.wait_for_selector("#objects-note >> text=12 objects, held")
        page.click("#follow-objects")
        page.wait_for_selector("#join-table:disabled")
        least, split = page.get_by_label("Least size (px)"), page.get_by_label("Part at necks")
        line.keeps = says_objects
        split.fill("1")
        until(page, lambda: found_by(1, 0) and held_back())
        line.keeps = lambda message: True
        page.evaluate(TIMERS)
        until(page, held_back)
        least.fill("50")
        until(page, lambda: found_by(1, 50))
        until(page, answered)
        assert least.input_value() == "50"
        split.fill("2")
        until(page, lambda: found_by(2, 50))
        line.keeps = lambda message: False
        line.give(lambda message: True)
        settled(page)
        assert (split.input_value(), least.input_value()) == ("2", "50")
    page.close()


def test_the_page_offers_the_other_classes_to_part_objects_along(browser, held) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)

    def along() -> int | None:
        how = held.object_source("1").how
        return None if how is None else how.boundary

    with served(held) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        page.wait_for_selector("#objects-note >> text=12 objects, held")
        last = held.classes[-1].label
        offered = page.locator("#object-boundary option").evaluate_all(
            "all => all.map(o => o.value)"
        )
        assert offered == ["", *(str(one.label) for one in held.classes if one.label != last)]
        page.click("#follow-objects")
        page.wait_for_selector("#join-table:disabled")  # when the page knows that they follow
        assert along() is None
        first = held.classes[0].label
        page.select_option("#object-boundary", str(first))
        until(page, lambda: along() == first)
        page.select_option("#object-class-of", str(first))  # which is no boundary of itself
        until(page, lambda: held.object_source("1").how.label == first)
        assert along() is None
        assert page.input_value("#object-boundary") == ""
    page.close()


def test_a_slider_that_is_moved_does_not_slip_out_of_the_hand(browser, held) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with served(held) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        page.wait_for_selector("#objects-note >> text=12 objects, held")
        least = page.get_by_label("Least size (px)")
        box = least.bounding_box()
        page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        moved = least.input_value()
        assert int(moved) > 100
        held.correct_objects("1", "delete", [12])
        page.wait_for_selector("#objects-note >> text=11 objects, held")
        assert least.input_value() == moved
        page.mouse.up()
        page.click("#follow-objects")
        until(page, lambda: held.object_source("1").how is not None)
        assert held.object_source("1").how.min_size == int(moved)
    page.close()
