"""What a new user stumbled over in the first hour with the page, tried in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.web.browsing import (
    BLUE,
    ORANGE,
    PATIENCE,
    area,
    paint_both,
    place,
    stroke,
    until,
    wait_for_colour,
    wait_for_grey,
    wait_for_image,
)

from stroma.errors import WeightsError
from stroma.io import read_image, write_image
from stroma.session.strokes.exports import OLDER
from stroma.session.strokes.learner import Learner
from stroma.web.serve import opening

COVERED = "#areas tr:nth-child(2)"


def tool(page: Any) -> str:
    return page.locator("#tools [aria-pressed=true]").get_attribute("data-tool")


# ------------------------------------------------------------------ what is on the screen


def test_areas_are_measured_again_and_are_never_zeros_that_are_not_true(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-results")
    page.wait_for_selector(COVERED)
    session.set_mode("paused")
    page.select_option("#image-select", label="second.tif")
    page.wait_for_selector("#round >> text=Nothing is computed here yet")
    page.wait_for_selector("#areas-note >> text=Nothing is computed here yet")
    assert not page.locator("#areas").is_visible()
    session.set_mode("live")
    page.wait_for_selector("#round >> text=Up to date")
    page.wait_for_selector(COVERED)
    shares = page.locator("#areas td:nth-child(3)").all_inner_texts()
    assert [48 < float(share.split()[0]) < 52 for share in shares] == [True, True]


def test_results_of_strokes_that_were_undone_are_called_older(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-results")
    page.wait_for_selector(COVERED)
    for _ in range(2):
        page.keyboard.press("Control+z")
    page.wait_for_selector("#round >> text=Results are older than your strokes")
    page.wait_for_selector("#areas-note >> text=older than your strokes")
    assert page.locator("#round >> text=Up to date").count() == 0
    page.click("#export")
    page.wait_for_selector(f"#notices >> text=/{OLDER}/")


def test_a_new_session_does_not_offer_to_train(page, session) -> None:
    unasked = "#train[disabled] >> text=Train now"  # while anything is worked out, it stops that
    page.wait_for_selector(unasked)
    page.keyboard.press("t")
    page.wait_for_selector("#notices >> text=Paint at least two classes first")
    page.keyboard.press("1")
    stroke(page, (60, 40), (60, 80))
    page.wait_for_selector("#hint >> text=/Only background is painted/")
    page.wait_for_selector(unasked)
    page.keyboard.press("2")
    stroke(page, (60, 170), (60, 215))
    page.wait_for_selector("#train:not([disabled])")
    page.wait_for_selector("#hint:empty", state="attached")


# ------------------------------------------------------------------ hands


def test_the_name_of_a_new_class_is_in_edit_at_once_and_keys_are_its_letters(page, session) -> None:
    page.keyboard.press("e")
    page.click("#add-class")
    page.keyboard.type("elb 3 o")
    page.keyboard.press("Enter")
    until(page, lambda: [c.name for c in session.classes][2:] == ["elb 3 o"])
    page.wait_for_selector("[aria-label='Paint elb 3 o'][aria-pressed=true]")
    assert tool(page) == "brush"
    stroke(page, (60, 40), (60, 80))
    until(page, lambda: session.strokes("1")[60, 60] == 3)


def test_escape_keeps_the_name_that_a_class_had(page, session) -> None:
    name = page.locator("[data-key=name-1]")
    name.click()
    page.keyboard.type("xyz")
    page.keyboard.press("Escape")
    assert name.input_value() == "background"
    assert session.classes[0].name == "background"


def test_strokes_are_painted_through_the_readout(page, session) -> None:
    page.mouse.move(*place(page, 200, 100))
    page.wait_for_selector("#where:not(:empty)")
    box = page.locator("#where").bounding_box()
    at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    assert page.evaluate("at => document.elementFromPoint(...at).id", at) == "canvas"
    page.mouse.click(*at)
    until(page, lambda: (session.strokes("1") == 1).any())


@pytest.mark.parametrize("focused", ["#undo", "[data-key=name-1]"])
def test_space_moves_the_image_whatever_has_the_focus(page, session, focused) -> None:
    session.set_mode("paused")
    session.paint("1", [(60, 60)], label=1, radius=8)
    session.paint("1", [(60, 190)], label=2, radius=8)
    wait_for_colour(page, (60, 60), BLUE)
    before = session.strokes("1").copy()
    page.locator(focused).first.focus()
    page.mouse.move(*place(page, 60, 60))
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(*place(page, 160, 60), steps=4)
    page.mouse.up()
    page.keyboard.up("Space")
    wait_for_colour(page, (160, 60), BLUE)
    page.keyboard.press("b")
    stroke(page, (250, 10), (250, 12))  # is stored after all that came before
    until(page, lambda: (session.strokes("1")[130:] == 1).any())
    np.testing.assert_array_equal(session.strokes("1")[:130], before[:130])
    assert page.locator("[data-key=name-1]").input_value() == "background"


@pytest.mark.parametrize("key", ["e", "v"])
def test_who_chooses_a_class_paints_it(page, session, key) -> None:
    page.keyboard.press(key)
    page.click("[data-key=choose-2]")
    assert tool(page) == "brush"
    page.keyboard.press(key)
    page.keyboard.press("1")
    assert tool(page) == "brush"
    page.keyboard.press("p")
    page.keyboard.press("2")
    assert tool(page) == "polygon"


def test_the_brush_can_be_as_wide_as_it_looks_and_shift_and_wheel_change_it(page, session) -> None:
    page.click("text=Screen pixels")
    stroke(page, (60, 60), (60, 60))
    until(page, lambda: session.strokes("1").any())
    small = np.count_nonzero(session.strokes("1"))
    page.mouse.move(*place(page, 160, 128))
    page.keyboard.down("Shift")
    for _ in range(6):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    page.wait_for_selector("text=18 px")
    stroke(page, (160, 60), (160, 60))
    until(page, lambda: session.strokes("1")[160].any())
    large = np.count_nonzero(session.strokes("1")) - small
    assert 4 < large / small < 12  # (9 / 4) squared is 5; pixels are coarse
    page.click("#zoom-in")
    page.click("#zoom-in")
    session.clear("1")
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, lambda: session.strokes("1").any())
    assert np.count_nonzero(session.strokes("1")) < large / 3  # closer, so fewer pixels


def test_undo_goes_to_where_something_changed_and_says_so(page, session) -> None:
    session.set_mode("paused")
    stroke(page, (60, 40), (60, 80))
    wait_for_colour(page, (60, 60), BLUE)
    page.select_option("#image-select", label="second.tif")
    wait_for_grey(page, (60, 60))
    page.keyboard.press("Control+z")
    page.wait_for_selector("#notices >> text=Undone: a stroke on first.tif.")
    wait_for_image(page, "first.tif")
    assert not session.strokes("1").any()


def test_guidance_looks_at_all_images_and_shows_its_place_in_the_middle(
    page, session, monkeypatch
) -> None:
    from stroma.blocks.box import Box
    from stroma.pixel.guidance.suggest import Suggestion
    from stroma.session.strokes.guidance import Guidance

    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.select_option("#image-select", label="second.tif")
    page.wait_for_selector("#round >> text=Up to date")
    page.select_option("#image-select", label="first.tif")
    page.wait_for_selector("#round >> text=Up to date")

    def uncertain(self, image, plane):
        return Suggestion(Box(120, 114, 128, 122), 124, 118, {"1": 0.5, "2": 0.9}[image])

    monkeypatch.setattr(Guidance, "_uncertain", uncertain)
    page.keyboard.press("n")
    page.get_by_text("the model wavers between background and foreground").wait_for()
    wait_for_image(page, "second.tif")
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#where >> text=/y 12[34]   x 11[78]/")


# ------------------------------------------------------------------ what is said


def test_failures_are_all_told_and_stay_until_they_are_closed(
    browser, client, session, tmp_path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(client.address.url)
    page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
    good = [tmp_path / f"good{i}.tif" for i in range(2)]
    for path in good:
        write_image(path, read_image(session.image("1").image.source).read(), axes="yx")
    bad = [tmp_path / f"bad{i}.tif" for i in range(4)]
    for path in bad:
        path.write_text("no image")
    page.set_input_files("#image-files", [good[0], *bad, good[1]])
    page.wait_for_selector("#notices >> text=Opened 2 of 6")
    rows = page.locator("#notices .failed li").all_inner_texts()
    assert [row.split(":")[0] for row in rows] == [path.name for path in bad]
    assert len(session.images) == 4
    page.click("#notices >> [aria-label=Close]")
    page.wait_for_selector("#notices:empty", state="attached")
    context.close()


def test_what_failed_in_a_batch_is_told_for_each_file(page, session, folder) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    (folder / "second.tif").write_bytes(b"damaged")
    page.click("#tab-results")
    page.click("#panel-results >> text=All images")
    page.click("#export")
    page.wait_for_selector("#notices >> text=1 of 2 done")
    page.wait_for_selector("#notices >> text=/second.tif: .*TIFF/")
    with page.expect_download() as download:
        page.click("#archive")
    assert download.value.suggested_filename == "first-results.zip"


def test_an_error_goes_when_its_cause_has_gone_and_the_bar_stays_as_it_is(page, session) -> None:
    height = page.locator(".bar").bounding_box()["height"]

    def fail(*args: Any, **kwargs: Any) -> None:
        where = "https://somewhere/else cannot be reached: " + "no route " * 40
        raise WeightsError(
            f"The weights of 'x' are not on this machine and could not be fetched: {where}"
        )

    paint_both(page)
    page.wait_for_selector("text=Up to date")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "learn", fail)
        stroke(page, (120, 170), (120, 215))
        page.wait_for_selector("#notices >> text=/could not be downloaded/")
        assert page.locator("#notices >> text=no route").is_visible() is False
        page.click("#notices >> text=Details")
        assert page.locator("#notices >> text=/no route/").is_visible()
        page.wait_for_selector("#round >> text=It failed")
        assert page.locator(".bar").bounding_box()["height"] == height
    stroke(page, (160, 170), (160, 215))
    page.wait_for_selector("text=Up to date")
    page.wait_for_selector("#notices:empty", state="attached")


def test_a_network_is_downloaded_only_after_size_and_licence_were_said(
    page, session, monkeypatch
) -> None:
    fetched = []

    def fetch(name: str, *, progress: Any) -> None:
        fetched.append(name)
        progress(5, 10)
        if len(fetched) == 1:
            raise WeightsError(
                f"The weights of {name!r} are not on this machine and could not be fetched: no."
            )

    monkeypatch.setattr("stroma.pixel.choices.catalogue.status", lambda name: "missing")
    monkeypatch.setattr("stroma.pixel.choices.catalogue.fetch", fetch)
    page.click("#tab-model")
    page.select_option("#alias", "vgg")
    page.wait_for_selector("#dialog >> text=/Up to 553 MB .* Licence of the network: BSD-3-Clause/")
    page.keyboard.press("Escape")
    page.wait_for_selector("#dialog", state="hidden")
    until(page, lambda: page.locator("#alias").input_value() == "stroma")
    assert not fetched
    page.select_option("#alias", "vgg")
    page.click("#confirm")
    page.wait_for_selector("#notices >> text=/could not be downloaded/")
    until(page, lambda: page.locator("#alias").input_value() == "stroma")
    assert session.settings.param.fe_name != "vgg16"
    session.set_mode("paused")
    page.select_option("#alias", "vgg")
    page.click("#confirm")
    until(page, lambda: session.settings.param.fe_name == "vgg16")
    assert fetched == ["vgg16", "vgg16"]
    page.wait_for_selector("#notices:empty", state="attached")


# ------------------------------------------------------------------ colours, files, screens


@pytest.mark.parametrize(("style", "inside"), [("Outlines", False), ("Hatched", True)])
def test_classes_are_drawn_so_that_they_do_not_mix_with_the_image(page, style, inside) -> None:
    page.click("text=Show strokes")
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    wait_for_colour(page, (200, 60), BLUE)
    page.get_by_role("slider", name="Opacity").fill("1")
    page.click(f"text={style}")
    if not inside:
        wait_for_grey(page, (200, 60))

    def colours() -> set[tuple[int, ...]]:
        found = area(page, (200, 100), (230, 156)).reshape(-1, 3)
        return {tuple(int(v) for v in colour) for colour in found}

    until(page, lambda: {BLUE, ORANGE} <= colours())  # as they are in the list, not mixed


def test_a_dropped_folder_is_searched_and_an_ome_zarr_in_it_is_one_image(
    page, session, folder, tmp_path_factory
) -> None:
    values = read_image(folder / "second.tif").read()
    dropped = tmp_path_factory.mktemp("dropped") / "plate"
    (dropped / "deeper").mkdir(parents=True)
    write_image(dropped / "a.tif", values, axes="yx")
    (dropped / "notes.txt").write_text("x")
    write_image(dropped / "deeper" / "b.zarr", values, axes="yx")
    drop(page, dropped)
    page.wait_for_selector("#notices >> text=1 file in the folder is no image.")
    until(page, lambda: len(session.images) == 4)
    assert [one.name for one in session.images][2:] == ["a.tif", "b.zarr"]
    np.testing.assert_array_equal(session.images[3].image.read(), values)


def drop(page: Any, path: Path) -> None:
    """Drop a file or folder onto the image, as a file manager does."""
    devices = page.context.new_cdp_session(page)
    x, y = place(page, 60, 60)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devices.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


@pytest.mark.parametrize("width", [800, 360])
def test_the_page_is_usable_on_a_narrow_screen(page, session, width) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    canvas = page.locator("#canvas").bounding_box()
    assert canvas["width"] > 0.5 * width
    for tab in ("paint", "image", "model", "results"):
        page.click(f"#tab-{tab}")
        cut = page.evaluate(
            """(width) => [...document.querySelectorAll('button, input, select')]
              .filter((e) => e.offsetParent && e.getBoundingClientRect().right > width + 1)
              .map((e) => e.outerHTML)""",
            width,
        )
        assert cut == []


def test_the_bar_of_a_phone_shows_the_name_of_the_image(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("#round >> text=Up to date")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.querySelector('#image-select').offsetWidth > 120")
    page.wait_for_function("() => document.querySelector('#round').offsetTop > 48")
    assert page.get_by_role("button", name="Open images").is_visible()


def test_the_tables_of_a_phone_are_not_cut_by_the_long_name_of_a_class(page, session) -> None:
    session.change_class(2, name="nuclei of the first kind, with holes")
    paint_both(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.click("#tab-results")
    page.wait_for_selector("#areas tr >> text=nuclei of the first")
    assert not cut(page, ".panel:has(#areas)")
    page.click("#list-parts:not([disabled])")
    page.wait_for_selector("#parts tr >> text=nuclei of the first")
    assert not cut(page, ".choices:has(#parts)")


def cut(page: Any, what: str) -> bool:
    """Return whether something is wider than its place."""
    return page.locator(what).evaluate("(one) => one.scrollWidth > one.clientWidth")


def test_the_browser_is_led_to_the_page_by_a_file(browser, client, tmp_path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    with opening(client.address, tmp_path) as file:
        page.goto(file.as_uri())
        page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
        assert "token" not in page.url
    context.close()


def test_a_file_with_several_images_is_asked_about(page, session, folder) -> None:
    values = read_image(folder / "second.tif").read()
    path = folder.parent / "three.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for _ in range(3):
            writer.write(values, photometric="minisblack", metadata={"axes": "YX"})
    page.set_input_files("#image-files", path)
    page.wait_for_selector("#dialog >> text=three.ome.tif holds 3 images")
    page.locator(".choices input").nth(1).uncheck()
    page.click("#open-series")
    until(page, lambda: len(session.images) == 4)
    assert [one.image.read_with["series"] for one in session.images[2:]] == [0, 2]
