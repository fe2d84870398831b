"""A volume on the page: painted across any axis, seen across all three, in proportion."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Picture
from tests.session.scene import settle
from tests.web.browsing import until

from stroma.blocks.box import Box
from stroma.io import write_image
from stroma.session import Session

DEPTH, SIDE = 16, 96


@pytest.fixture
def session(tmp_path):
    """A volume that is dark on the left, four times as far from plane to plane; and an image."""
    noise = np.random.default_rng(0).normal(0, 8, (DEPTH, SIDE, SIDE))
    body = np.where(np.arange(SIDE) < SIDE // 2, 60, 180) + noise
    spacing = {"z": 2.0, "y": 0.5, "x": 0.5}
    path = tmp_path / "body.tif"
    values = body.clip(0, 255).astype(np.uint8)
    write_image(path, values, axes="zyx", spacing=spacing, unit="µm")
    flat = write_image(tmp_path / "flat.tif", values[0], axes="yx")
    with Session.create(tmp_path / "work.stroma", "gaussian") as made:
        made.set_params(clf_iterations=20)
        made.add_image(path)
        made.add_image(flat)
        yield made


def picture(answer):
    assert answer.status == 200, answer.body
    return np.asarray(Picture.open(io.BytesIO(answer.body)))


# ---------------------------------------------------------------------- the server


def test_planes_of_every_direction_are_served(client, session):
    values, shown = session.image("1").image.read(), "c=0:0:255:ffffff"
    for query, wanted in (("y=20", values[:, 20]), ("x=30", values[:, :, 30])):
        found = picture(client.get(f"/images/1/pixels/1/0/0?{query}&{shown}"))
        np.testing.assert_array_equal(found, wanted)
    half = picture(client.get(f"/images/1/pixels/2/0/0?y=20&{shown}"))
    assert half.shape == (DEPTH // 2, SIDE // 2)
    assert client.get(f"/images/1/pixels/1/0/0?y={SIDE}&{shown}").status == 400


def test_a_stroke_across_y_is_stored_served_and_undone_there(client, session):
    with client.tab() as tab:
        plane = {"y": 20}
        points = [[4, 10], [12, 10]]
        tab.ask("paint", image="1", plane=plane, label=1, radius=4, points=points)
        assert session.strokes("1", plane=plane)[8, 10] == 1
        seen = picture(client.get("/images/1/strokes/1/0/0?y=20"))
        assert seen[8, 10].any()
        assert not seen[8, 40].any()
        places = tab.ask("undo")["result"]["places"]
        assert places[0]["plane"] == plane
        assert places[0]["box"]["left"] == 6


def test_what_is_known_of_a_voxel_across_x_is_answered(client, session):
    with client.tab() as tab:
        found = tab.ask("readout", image="1", plane={"x": 30}, y=5, x=70)["result"]
        assert found["values"] == [int(session.image("1").image.read()[5, 70, 30])]
        assert "error" in tab.ask("readout", image="1", plane={"x": 30}, y=DEPTH, x=0)
        state = tab.ask("standing", image="1", plane={"x": 30}, box=box(0, 0, DEPTH, SIDE))
        assert state["result"]["state"] == "absent"


def test_every_pane_of_a_tab_is_a_view_until_it_is_closed(client, session):
    views = session.core.views
    with client.tab() as tab:
        for pane, plane in (("", {"z": 3}), ("first", {"y": 20}), ("second", {"x": 30})):
            seen = box(0, 0, 10, 10)
            tab.ask("look", image="1", plane=plane, box=seen, pane=pane)
        assert [v.position for v in views.values()] == [{"z": 3}, {"y": 20}, {"x": 30}]
        tab.ask("look-away", pane="first")
        assert [v.position for v in views.values()] == [{"z": 3}, {"x": 30}]
        assert "error" in tab.ask("look-away", pane="third")


def test_where_to_paint_next_is_sought_on_all_planes_that_are_seen(client, session):
    for label, x in ((1, 10), (2, 80)):
        session.paint("1", [(3, x), (12, x)], label=label, radius=2, plane={"y": 20})
    session.look("1", plane={"y": 20}, view="a")
    session.look("1", plane={"x": 48}, view="b")
    settle(session)
    assert session.known_planes("1") == [{"y": 20}, {"x": 48}]
    with client.tab() as tab:
        found = tab.ask("suggest", image="1", plane={"y": 20})["result"]
        assert found["plane"] in session.known_planes("1")
        areas = tab.ask("areas", image="1", plane={"y": 20})["result"]
        assert sum(one["area"] for one in areas) == DEPTH * SIDE
        parts = tab.ask("parts", image="1", plane={"y": 20})["result"]
        assert parts["area"] == pytest.approx(2.0 * 0.5)


def box(top, left, bottom, right):
    return {"top": top, "left": left, "bottom": bottom, "right": right}


# ---------------------------------------------------------------------- the page


def place(page, row, column, *, rows=DEPTH, columns=SIDE, stretch=4.0, canvas="#canvas"):
    """Return where a pixel of a plane is on the screen, once it is shown as a whole."""
    there = page.locator(canvas).bounding_box()
    scale = min(there["width"] / columns, there["height"] / rows / stretch) * 0.96
    x = there["x"] + there["width"] / 2 + (column - columns / 2) * scale
    return x, there["y"] + there["height"] / 2 + (row - rows / 2) * scale * stretch


def tint(page, at):
    """Return how much more blue than red the screen is around a place."""
    clip = {"x": at[0] - 3, "y": at[1] - 3, "width": 6, "height": 6}
    seen = Picture.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    red, _, blue = np.asarray(seen, float).mean(axis=(0, 1))
    return blue - red


def stroke(page, first, last):
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=3)
    page.mouse.up()


def wait_for_panes(page):
    """Wait until there are three planes, and every canvas has the size that it is given."""
    page.wait_for_selector("#panes:not([hidden])")
    page.wait_for_function(
        """() => [...document.querySelectorAll("#canvas, #panes canvas")].every(
            (one) => one.width === Math.round(one.getBoundingClientRect().width))"""
    )


def paint_across_y(page):
    wait_for_panes(page)
    page.keyboard.press("y")
    page.wait_for_selector("[data-across=y][aria-pressed=true]")
    for key, column in (("1", 12), ("2", 80)):
        page.keyboard.press(key)
        stroke(page, place(page, 4, column), place(page, 11, column))


def test_painting_on_xz_brings_the_result_on_all_three_planes(page, session):
    paint_across_y(page)
    until(page, lambda: session.painted_pixels("1") and session.status.trained >= 0)
    painted = session.strokes("1", plane={"y": SIDE // 2})
    assert painted[8, 12] == 1
    assert painted[8, 80] == 2
    assert not session.strokes("1", plane={"y": 10}).any()
    pane = "[data-pane=first]"
    for column, side in ((20, 1), (70, -1)):
        until(page, lambda c=column, s=side: s * tint(page, place(page, 13, c)) > 20)
        xy = {"rows": SIDE, "stretch": 1.0, "canvas": pane}
        at = place(page, 20, column, **xy)
        until(page, lambda at=at, s=side: s * tint(page, at) > 20)
    until(page, lambda: len(session.known_planes("1")) == 3)


def test_the_volume_is_measured_and_a_part_of_it_is_gone_to(page, session):
    for label, x in ((1, 10), (2, 80)):
        session.paint("1", [(20, x), (60, x)], label=label, radius=2, plane={"z": 3})
    settle(session)
    page.click("#tab-results")
    page.click("#measure-volume:enabled")
    voxel = 2.0 * 0.5 * 0.5
    whole = page.locator("#volumes tbody tr td:nth-child(2)")
    page.locator("#volumes").wait_for()
    sizes = [float(text.split()[0].replace(",", "")) for text in whole.all_text_contents()]
    assert sum(sizes) == pytest.approx(voxel * DEPTH * SIDE * SIDE, rel=1e-3)
    assert page.locator("th >> text=Volume (µm³)").count() == 1
    page.get_by_role("button", name="Plane").click()
    plane = int(page.locator("#parts tr:first-child td:nth-child(3)").inner_text())
    page.locator("#parts tr:first-child button").click()
    until(page, lambda: any(v.position == {"z": plane - 1} for v in session.core.views.values()))
    page.select_option("#image-select", "2")
    page.wait_for_selector("#measure-volume", state="hidden")


def test_undo_stays_on_the_plane_that_was_painted_on(page, session):
    paint_across_y(page)
    until(page, lambda: len(session.core.document.done) == 2)
    page.keyboard.press("Control+z")
    until(page, lambda: len(session.core.document.done) == 1)
    page.wait_for_selector("[data-across=y][aria-pressed=true]")
    page.wait_for_selector("#redo:not([disabled])")
    assert page.locator("#notices .notice").count() == 0


def test_a_click_with_control_moves_the_other_planes(page, session):
    wait_for_panes(page)
    page.keyboard.down("Control")
    page.mouse.click(*place(page, 30.5, 70.5, rows=SIDE, stretch=1.0))
    page.keyboard.up("Control")
    wanted = [{"z": DEPTH // 2}, {"y": 30}, {"x": 70}]

    def seen():
        return sorted((v.position for v in session.core.views.values()), key=str) == sorted(
            wanted, key=str
        )

    until(page, seen)
    assert session.painted_pixels("1") == 0


def test_an_image_of_one_plane_has_no_panes(page, session):
    page.wait_for_selector("#panes:not([hidden])")
    page.select_option("#image-select", "2")
    page.wait_for_selector("#panes", state="hidden")
    until(page, lambda: [v.box for v in session.core.views.values()] == [Box(0, 0, SIDE, SIDE)])


@pytest.mark.parametrize("width", [1400, 360])
def test_no_button_is_wider_than_its_place(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_selector("text=Copy to the next plane")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.buttons button')]
          .filter((e) => e.offsetParent)
          .filter((e) => e.getBoundingClientRect().right
            > e.parentElement.getBoundingClientRect().right + 1)
          .map((e) => e.textContent)"""
    )
    assert cut == []
