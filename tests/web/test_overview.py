"""All images at a glance."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Picture
from tests.patience import PATIENCE
from tests.web.browsing import SIZE, paint_both, stroke, wait_for_image

from stroma.blocks.box import Box
from stroma.data.image import Image
from stroma.session import Session
from stroma.session.strokes.exports import Exports
from stroma.web import overview


def test_of_each_image_it_is_told_what_was_done_on_it(session, client) -> None:
    first, second = (one.key for one in session.images)
    session.set_mode("paused")
    session.paint(first, [(10, 10)], label=1, radius=2)
    with client.tab() as tab:
        told = tab.ask("overview")["result"]
    assert [one["key"] for one in told] == [first, second]
    assert told[0]["painted"] == session.painted_pixels(first) > 0
    assert told[1] == {"key": second, "painted": 0, "state": "absent", "failed": ""}


def test_a_segmented_image_is_told_from_one_whose_results_are_older(session) -> None:
    first = session.images[0].key
    session.paint(first, [(10, 20), (10, 60)], label=1)
    session.paint(first, [(10, 200), (10, 230)], label=2)
    session.look(first, box=Box(0, 0, SIZE, SIZE))
    assert session.wait(PATIENCE)
    assert [one["state"] for one in overview.overview(session, {})] == ["current", "absent"]
    session.set_mode("paused")
    session.paint(first, [(90, 20), (90, 60)], label=1)
    assert [one["state"] for one in overview.overview(session, {})] == ["older", "absent"]


def test_an_image_that_was_exported_is_marked_though_nobody_looked_at_it(session, client) -> None:
    first, second = (one.key for one in session.images)
    session.paint(first, [(10, 20), (10, 60)], label=1)
    session.paint(first, [(10, 200), (10, 230)], label=2)
    assert session.wait(PATIENCE)
    wanted = {"format": ".tif", "probabilities": False, "overlay": False, "tables": False}
    with client.tab() as tab:
        assert "error" not in tab.ask("export", images=[second], **wanted)
    assert not session.known_planes(second)
    assert [one["state"] for one in overview.overview(session, {})] == ["current", "current"]
    session.set_mode("paused")
    session.paint(first, [(90, 20), (90, 60)], label=1)
    assert [one["state"] for one in overview.overview(session, {})] == ["older", "older"]
    session.written(second).path.unlink()
    assert [one["state"] for one in overview.overview(session, {})] == ["older", "absent"]


def test_what_the_strokes_are_is_asked_once_for_all_images_and_not_where_nothing_is_written(
    tmp_path, monkeypatch
) -> None:
    asked = []
    plain = Exports._answers
    monkeypatch.setattr(Exports, "_answers", lambda self: (asked.append(1), plain(self))[1])
    with Session("gaussian") as session:
        keys = [session.add_image(np.arange(900.0).reshape(30, 30)) for _ in range(3)]
        session.paint(keys[0], [(2, 2), (2, 20)], label=1)
        session.paint(keys[0], [(25, 2), (25, 20)], label=2)
        assert session.wait(PATIENCE)
        asked.clear()
        assert overview.overview(session, {})[1]["state"] == "absent"
        assert session.written(keys[1]) is None
        assert not asked
        for key in keys[:2]:
            session.export_labels(key, tmp_path / f"{key}.tif").result(PATIENCE)
        asked.clear()
        found = overview.overview(session, {})
        assert [one["state"] for one in found] == ["current", "current", "absent"]
        assert len(asked) == 1


@pytest.mark.parametrize("axes", ["yx", "zyx", "cyx"])
def test_the_small_picture_is_that_of_the_middle_plane(axes) -> None:
    plane = np.where(np.arange(300) < 150, 20, 200).astype(np.uint8) * np.ones((200, 1), np.uint8)
    values = {"yx": plane, "zyx": np.stack([plane * 0, plane, plane * 0]), "cyx": plane[None]}
    with Session() as made:
        key = made.add_image(Image(values[axes], axes))
        found = overview.small_picture(made.image(key))
    assert found is not None
    drawn = np.asarray(Picture.open(io.BytesIO(found)).convert("L"))
    assert drawn.shape == (100, 150)
    assert drawn[:, :70].max() < drawn[:, 80:].min()


def test_of_an_image_too_large_to_be_read_there_is_no_small_picture(monkeypatch) -> None:
    monkeypatch.setattr(overview, "MOST_PIXELS", 100)
    with Session() as made:
        key = made.add_image(np.zeros((20, 20), np.uint8))
        assert overview.small_picture(made.image(key)) is None


def test_an_image_is_found_by_its_name_and_by_what_was_done_on_it(page, session) -> None:
    first, second = (one.key for one in session.images)
    stroke(page, (60, 40), (60, 80))
    page.wait_for_function("() => !document.querySelector('#undo').disabled")
    page.keyboard.press("i")
    page.locator(f"[data-key='{first}'] .mark", has_text="painted").wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.card img')].every((one) => one.naturalWidth === 128)"
    )
    page.get_by_role("button", name="Not painted").click()
    assert page.locator(".card").count() == 1
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_label("Find by name").fill("seco")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "key => document.querySelector('#image-select').value === key", arg=second
    )
    assert not page.locator("#dialog").is_visible()


def test_chosen_images_are_exported_together_and_their_results_are_seen(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.keyboard.press("i")
    page.get_by_label("Choose first.tif").check()
    page.get_by_text("1 chosen").wait_for()
    page.get_by_role("button", name="Choose all listed").click()
    page.get_by_text("2 chosen").wait_for()
    page.click("#export-chosen")
    page.get_by_role("button", name="Chosen (2)", pressed=True).wait_for()
    page.click("#export")
    page.locator("#exported").get_by_text("2 of 2 done").wait_for()
    assert {"first_labels.tif", "second_labels.tif"} <= {
        path.name for path in (session.path / "results").iterdir()
    }
    page.get_by_role("button", name="Look at the result of second.tif").click()
    page.wait_for_function(
        "() => document.querySelector('#dialog img.result')?.naturalWidth === 256"
    )
    page.get_by_role("button", name="Open this image").click()
    wait_for_image(page, "second.tif")
    page.reload()
    page.click("#tab-results")
    page.locator("#exported").get_by_text("2 of 2 done").wait_for()
