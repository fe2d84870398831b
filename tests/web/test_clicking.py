"""Objects that are clicked on the page: proposed, refined, committed; in a browser and without."""

from __future__ import annotations

import base64
import threading

import numpy as np
import pytest
from tests.patience import PATIENCE as SECONDS
from tests.web.browsing import PATIENCE, SIZE, place, settled, until
from tests.web.served import served

from stroma.session import Session
from stroma.session.objects.bench import ObjectBench

DISCS = ((60, 60), (60, 180), (180, 60))
PLACE = {"image": "1", "plane": {}}
VIEW = {"top": 0, "left": 0, "bottom": SIZE, "right": SIZE}


@pytest.fixture
def clicked(tmp_path):
    """A session of two images with three bright discs, and nothing else."""
    y, x = np.indices((SIZE, SIZE))
    image = np.random.default_rng(0).normal(20, 1, (SIZE, SIZE))
    for cy, cx in DISCS:
        image[(y - cy) ** 2 + (x - cx) ** 2 < 400] += 100
    with Session.create(tmp_path / "discs.stroma", mode="demand") as session:
        for name in ("first.tif", "second.tif"):
            session.add_image(image.astype(np.float32), name=name)
        yield session


def test_a_proposal_is_told_with_its_mask_and_committed_by_its_number(clicked) -> None:
    with served(clicked) as client, client.tab() as tab:

        def ask(command, **values):
            answer = tab.ask(command, **PLACE, **values)
            assert "error" not in answer, answer
            return answer["result"]

        assert "graph" in ask("prompt-engines")
        assert ask("prompt-ready", box=VIEW) is True
        found = ask("propose", box=VIEW, points=[[60.5, 60.5]], labels=[1])
        edges = found["box"]
        shape = edges["bottom"] - edges["top"], edges["right"] - edges["left"]
        bits = np.unpackbits(np.frombuffer(base64.b64decode(found["mask"]), np.uint8))
        mask = bits[: shape[0] * shape[1]].reshape(shape)
        assert found["area"] == mask.sum() == pytest.approx(1257, rel=0.1)
        stroke = {"points": [[180, 52], [180, 68]], "on": True, "radius": 2}
        drawn = ask("propose", box=VIEW, strokes=[stroke], boxes=[[155, 35, 205, 85]])
        assert ask("commit-object", proposal=found["number"]) == 1
        assert ask("commit-object", proposal=drawn["number"]) == 2
        ask("prompt-left")
        again = tab.ask("commit-object", proposal=found["number"])
        assert "Other objects have all of these pixels" in again["error"]
        wrong = tab.ask("propose", box=VIEW, points=[[1, 2, 3]], **PLACE)
        assert "not understood" in wrong["error"]


def test_objects_are_clicked_and_committed_with_keys(browser, clicked) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with served(clicked) as client:
        page.goto(client.address.url)
        page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
        page.click("#tab-objects")
        page.wait_for_selector("#click-note >> text=Click an object")
        page.wait_for_selector("#tools:not(:has([aria-pressed=true]))", state="attached")
        page.wait_for_selector("#commit-object:disabled")
        page.mouse.click(*place(page, 120, 120), button="right")
        page.wait_for_selector("#click-note >> text=only said what is beside it")
        page.wait_for_selector("#commit-object:disabled")
        page.keyboard.press("s")  # nothing is proposed: nothing is committed, and nothing is lost
        page.mouse.click(*place(page, 60, 60))
        page.wait_for_selector("#click-note >> text=S commits")
        page.wait_for_selector("#commit-object:enabled")
        page.keyboard.press("s")
        page.wait_for_selector("#objects-note >> text=1 objects, held (clicked)")
        corner, other = place(page, 155, 35), place(page, 205, 85)
        page.mouse.move(*corner)
        page.mouse.down()
        page.mouse.move(*other, steps=4)
        page.mouse.up()
        page.wait_for_selector("#click-note >> text=S commits")
        page.mouse.click(*place(page, 120, 120), button="right")
        page.keyboard.press("Backspace")
        page.wait_for_selector("#click-note >> text=S commits")
        page.keyboard.press("Enter")
        page.wait_for_selector("#objects-note >> text=2 objects, held (clicked)")
        page.mouse.click(*place(page, 60, 180))
        page.wait_for_selector("#click-note >> text=S commits")
        page.keyboard.press("Escape")
        page.wait_for_selector("#click-note >> text=Click an object")
        page.keyboard.press("Control+z")
        page.wait_for_selector("#objects-note >> text=1 objects, held (clicked)")
        page.keyboard.press("n")
        page.wait_for_selector("#image-select option:checked:has-text('second')", state="attached")
        page.click("text=Each click is an object of its own")
        page.mouse.click(*place(page, 60, 60))
        page.wait_for_selector("#click-note >> text=S commits")
        page.mouse.click(*place(page, 60, 180))
        page.wait_for_selector("#objects-note >> text=1 objects, held (clicked)")
    context.close()
    assert wrong == []


def test_all_objects_are_found_and_images_accepted_and_skipped(browser, clicked) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    with served(clicked) as client:
        page.goto(client.address.url)
        page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
        page.click("#tab-objects")
        page.wait_for_selector("#click-note >> text=Click an object")
        page.mouse.click(*place(page, 60, 60))
        page.wait_for_selector("#click-note >> text=S commits")
        page.keyboard.press("s")
        page.wait_for_selector("#objects-note >> text=1 objects, held (clicked)")
        page.click("#find-everything")
        page.wait_for_selector(".notice >> text=/^[2-9] objects were found/")
        page.wait_for_selector("#objects-note >> text=objects, held (all objects, by graph)")
        page.wait_for_selector("#edit-image", state="hidden")
        page.keyboard.press("n")
        page.wait_for_selector("#image-select option:checked:has-text('second')", state="attached")
        page.wait_for_selector("#queue-note >> text=1 of 2 images accepted.")
        page.keyboard.press("Shift+N")
        page.wait_for_selector("#queue-note >> text=1 skipped. This one is skipped.")
        page.wait_for_selector(".notice >> text=No other image is left to do")
        page.click("#edit-image")
        page.wait_for_selector("#queue-note >> text=/accepted.$/")
    page.close()
    assert [one.mark for one in clicked.images] == ["accepted", ""]
    found = clicked.core.bench(ObjectBench).books["1"].frame(0)[0]
    assert found[60, 60] == 1
    assert len({int(found[at]) for at in DISCS} - {0}) == 3


def test_an_object_is_taken_up_again_by_a_click_and_changed(browser, clicked) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)

    def objects():
        return clicked.core.bench(ObjectBench).books["1"].frame(0)[0]

    with served(clicked) as client:
        page.goto(client.address.url)
        page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
        page.click("#tab-objects")
        page.wait_for_selector("#click-note >> text=Click an object")
        page.mouse.click(*place(page, 60, 60))
        page.wait_for_selector("#click-note >> text=S commits it")
        page.keyboard.press("s")
        page.wait_for_selector("#objects-note >> text=1 objects, held (clicked)")
        page.mouse.click(*place(page, 64, 62))
        page.wait_for_selector("#click-note >> text=Object 1 again")
        page.wait_for_selector("#commit-object:disabled")
        page.keyboard.press("s")  # nothing was said of it: it stays, and is let go of
        page.wait_for_selector("#click-note >> text=Click an object")
        page.mouse.click(*place(page, 64, 62))
        page.wait_for_selector("#click-note >> text=Object 1 again")
        page.mouse.click(*place(page, 60, 180))
        page.wait_for_selector("#click-note >> text=S commits the change of object 1")
        page.keyboard.press("Backspace")
        page.wait_for_selector("#click-note >> text=Object 1 again")
        page.mouse.click(*place(page, 60, 180))
        page.wait_for_selector("#click-note >> text=S commits the change of object 1")
        page.keyboard.press("s")
        until(page, lambda: objects()[60, 180] == 1)
    page.close()
    assert objects()[60, 60] == 1
    assert clicked.undoable.number == 2  # two commits, and nothing for what was let go of


def test_only_the_tool_in_hand_is_shown_as_chosen(browser, clicked) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with served(clicked) as client:
        page.goto(client.address.url)
        page.wait_for_selector("[data-tool=brush][aria-pressed=true]")
        page.click("#tab-objects")
        chosen = "#object-tools [aria-pressed=true]"
        page.wait_for_selector(f"{chosen} >> text=Click")
        page.wait_for_selector("#tools:not(:has([aria-pressed=true]))", state="attached")
        page.keyboard.press("v")
        page.wait_for_selector("[data-tool=pan][aria-pressed=true]")
        page.wait_for_selector("#object-tools:not(:has([aria-pressed=true]))")
        page.click("#object-tools >> text=Draw")
        page.wait_for_selector("#tools:not(:has([aria-pressed=true]))", state="attached")
        page.reload()  # the tab is remembered, and takes its tool
        page.wait_for_selector(f"{chosen} >> text=Click")
        page.wait_for_selector("#tools:not(:has([aria-pressed=true]))", state="attached")
        page.keyboard.press("b")  # who takes the brush wants to paint
        page.wait_for_selector("#tab-paint[aria-selected=true]")
        page.wait_for_selector("[data-tool=brush][aria-pressed=true]")
    page.close()


def test_who_clicked_objects_goes_on_with_that_after_the_page_was_opened_again(
    browser, clicked
) -> None:
    found = clicked.propose("1", points=[DISCS[0]])
    clicked.commit_object(found)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with served(clicked) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        page.wait_for_selector("#objects-note >> text=1 objects, held (clicked)")
        page.wait_for_selector("#object-tools [aria-pressed=true] >> text=Click")
        page.mouse.click(*place(page, *DISCS[1]))
        page.wait_for_selector("#click-note >> text=S commits")
    page.close()


def test_what_an_engine_lacks_is_said_once(browser, clicked, monkeypatch) -> None:
    monkeypatch.delenv("STROMA_WEIGHTS", raising=False)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    with served(clicked) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        page.wait_for_selector("#click-note >> text=Click an object")
        page.select_option("#prompt-engine", value="trained")  # a network of one's own, of no file
        reason = ".notice.bad >> text=The engine 'trained' is a network of your own"
        page.wait_for_selector(reason)  # when the image is looked at
        page.mouse.click(*place(page, *DISCS[0]))
        page.wait_for_selector("#click-note >> text=There is no answer")
        settled(page)  # looking at the image is answered too
        assert page.locator(reason).count() == 1
        page.keyboard.press("Escape")
        page.select_option("#prompt-engine", value="graph")
        page.mouse.click(*place(page, *DISCS[0]))
        page.wait_for_selector("#click-note >> text=S commits")
        page.wait_for_selector(reason, state="detached")
    page.close()


def test_objects_that_are_found_are_classed_next(browser, clicked) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with served(clicked) as client:
        page.goto(client.address.url)
        page.click("#tab-objects")
        chosen = "#object-tools [aria-pressed=true]"
        page.wait_for_selector(f"{chosen} >> text=Click")
        page.click("#follow-objects")
        page.wait_for_selector(f"{chosen} >> text=Class")
    page.close()


def test_what_was_clicked_becomes_an_object_of_its_own_image(browser, clicked, monkeypatch) -> None:
    """The next image is gone to while the engine still works on the first click."""
    ready, asked, real = threading.Event(), [], clicked.propose

    def held(image, **values):
        asked.append(image)
        assert ready.wait(SECONDS)
        return real(image, **values)

    monkeypatch.setattr(clicked, "propose", held)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    with served(clicked) as client:
        page.goto(client.address.url)
        page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
        page.click("#tab-objects")
        page.wait_for_selector("#click-note >> text=Click an object")
        page.mouse.click(*place(page, 60, 60))
        page.wait_for_selector("#click-note >> text=Looking")
        page.mouse.click(*place(page, 66, 60))
        page.keyboard.press("s")
        page.keyboard.press("n")
        page.wait_for_selector("#image-select option:checked:has-text('second')", state="attached")
        ready.set()
        until(page, lambda: any(clicked.object_source(key).kept for key in ("1", "2")))
        assert asked == ["1", "1"]
        assert clicked.object_source("1").kept
        ready.clear()
        page.mouse.click(*place(page, 60, 60))
        page.wait_for_selector("#click-note >> text=Looking")
        page.keyboard.press("s")
        page.keyboard.press("Control+z")  # takes back what is being committed, nothing before it
        until(page, lambda: len(asked) == 3)
        ready.set()
        until(page, lambda: clicked.redoable is not None or clicked.object_source("2").kept)
        until(page, lambda: not clicked.object_source("2").kept)
        assert clicked.object_source("1").kept
    context.close()
