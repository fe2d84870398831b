"""The page in a real browser: what a person does in the first minutes, and after a reload."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from tests.patience import PATIENCE as SECONDS
from tests.web.browsing import (
    BLUE,
    ORANGE,
    PATIENCE,
    SIZE,
    paint_both,
    place,
    stroke,
    until,
    wait_for_black,
    wait_for_colour,
    wait_for_grey,
    wait_for_image,
)

from stroma.io import read_image, write_image
from stroma.pixel.guidance.compare import Comparison
from stroma.web import tiles


def test_painting_two_classes_brings_the_segmentation(page, session) -> None:
    page.wait_for_selector("text=Paint a few strokes of each class")
    wait_for_grey(page, (200, 60))
    paint_both(page)
    wait_for_colour(page, (200, 60), BLUE)
    wait_for_colour(page, (200, 200), ORANGE)
    page.wait_for_selector("text=Up to date")
    assert {c.label for c in session.classes} == {1, 2}
    assert session.strokes("1")[60, 60] == 1
    assert session.strokes("1")[60, 190] == 2


def test_undo_takes_the_last_stroke_back_and_redo_brings_it_again(page, session) -> None:
    page.keyboard.press("1")
    stroke(page, (60, 40), (60, 80))
    wait_for_colour(page, (60, 60), BLUE)
    page.keyboard.press("Control+z")
    wait_for_grey(page, (60, 60))
    assert not session.strokes("1").any()
    page.keyboard.press("Control+Shift+z")
    wait_for_colour(page, (60, 60), BLUE)


def test_a_stroke_that_is_undone_before_its_tile_came_is_seen_no_more(
    page, session, monkeypatch
) -> None:
    asked, hold = threading.Event(), threading.Event()
    draw = tiles.labels_png

    def slow(*arguments):
        asked.set()
        assert hold.wait(PATIENCE / 1000)
        return draw(*arguments)

    monkeypatch.setattr(tiles, "labels_png", slow)
    page.keyboard.press("1")
    stroke(page, (60, 40), (60, 80))
    wait_for_colour(page, (60, 60), BLUE)
    assert asked.wait(PATIENCE / 1000)
    page.keyboard.press("Control+z")
    page.wait_for_selector("#redo:not([disabled])")
    hold.set()
    wait_for_grey(page, (60, 60))


def test_results_go_and_come_with_a_key(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    wait_for_colour(page, (200, 60), BLUE)
    page.wait_for_timeout(1000)  # nothing moves any more
    page.keyboard.press("o")
    wait_for_grey(page, (200, 60))
    page.keyboard.press("o")
    wait_for_colour(page, (200, 60), BLUE)


def test_results_older_than_the_strokes_say_so_until_trained_again(page, session) -> None:
    page.click("text=On demand")
    paint_both(page)
    until(page, lambda: session.strokes("1")[60, 190] == 2)
    assert session.wait(SECONDS)  # while anything is looked at, the button stops that
    page.click("#train:enabled:has-text('Train now')")
    page.wait_for_selector("text=Up to date")
    wait_for_colour(page, (200, 60), BLUE)
    stroke(page, (120, 170), (120, 215))
    page.wait_for_selector("text=Results are older than your strokes")
    wait_for_colour(page, (200, 60), BLUE)
    page.keyboard.press("t")
    page.wait_for_selector("text=Up to date")
    assert session.status.trained == session.revision


def test_eraser_and_polygon(page, session) -> None:
    page.keyboard.press("p")
    for corner in ((40, 40), (40, 100), (100, 100), (100, 40)):
        page.mouse.click(*place(page, *corner))
    page.keyboard.press("Enter")
    wait_for_colour(page, (70, 70), BLUE)
    assert session.strokes("1")[70, 70] == 1
    page.keyboard.press("e")
    stroke(page, (70, 60), (70, 80))
    wait_for_grey(page, (70, 70))
    assert session.strokes("1")[70, 70] == 0
    assert session.strokes("1")[45, 45] == 1


def test_a_reload_finds_everything(page, session) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.get_by_label("Name of class 2").fill("tissue")
    page.get_by_label("Name of class 2").press("Enter")
    page.reload()
    wait_for_colour(page, (200, 200), ORANGE)
    wait_for_colour(page, (60, 60), BLUE)
    until(page, lambda: page.get_by_label("Name of class 2").input_value() == "tissue")
    assert "token" not in page.url


def test_classes_are_added_renamed_recoloured_and_removed(page, session) -> None:
    page.click("#add-class")
    name = page.get_by_label("Name of class 3")
    name.fill("fibres")
    name.press("Enter")
    page.wait_for_selector("[aria-label='Paint fibres'][aria-pressed=true]")
    page.locator("[data-key=color-3]").fill("#ff0000")
    page.wait_for_selector("[data-key=color-3][value='#ff0000']")
    stroke(page, (60, 40), (60, 80))
    wait_for_colour(page, (60, 60), (255, 0, 0))
    page.locator("[data-key=remove-3]").click()
    wait_for_grey(page, (60, 60))
    assert [c.name for c in session.classes] == ["background", "foreground"]


def test_a_region_of_interest_restricts_what_is_shown(page, session) -> None:
    paint_both(page)
    wait_for_colour(page, (200, 60), BLUE)
    page.mouse.move(*place(page, 60, 60))
    for _ in range(4):
        page.mouse.wheel(0, -240)
    page.click("#tab-image")
    page.click("#region")
    page.wait_for_selector("text=/Rows [0-9]+ to/")
    page.locator("#canvas").focus()
    page.keyboard.press("0")
    wait_for_grey(page, (240, 60))
    region = session.image("1").region
    assert 0 < region.top < 60 < region.bottom < 200
    page.click("text=Whole image")
    wait_for_colour(page, (240, 60), BLUE)
    assert session.image("1").region is None


def test_zooming_keeps_what_is_under_the_cursor(page) -> None:
    page.keyboard.press("1")
    stroke(page, (60, 40), (60, 80))
    wait_for_colour(page, (60, 60), BLUE)
    page.mouse.move(*place(page, 60, 60))
    for _ in range(4):
        page.mouse.wheel(0, -240)
    wait_for_colour(page, (60, 60), BLUE)
    page.keyboard.press("0")
    wait_for_colour(page, (60, 60), BLUE)


def test_results_are_exported_and_applied_to_the_second_image(page, session, folder) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-results")
    page.wait_for_selector("#areas tr:nth-child(2)")
    shares = page.locator("#areas tr td:nth-child(3)").all_inner_texts()
    assert [48 < float(share.split()[0]) < 52 for share in shares] == [True, True]
    page.click("#panel-results >> text=All images")
    page.click("#export")
    page.wait_for_selector("#exported >> text=second_labels.tif")
    results = folder / "first.stroma" / "results"
    for name in ("first", "second"):
        labels = read_image(results / f"{name}_labels.tif").read()
        assert (labels[:, : SIZE // 2 - 8] == 1).mean() > 0.99
        assert (labels[:, SIZE // 2 + 8 :] == 2).mean() > 0.99
    with page.expect_download() as download:
        page.click("#exported >> text=second_labels.tif")
    assert Path(download.value.path()).stat().st_size > 1000
    with page.expect_download() as download:
        page.click("#save-model")
    assert download.value.suggested_filename.endswith(".pkl")


def test_an_image_is_opened_through_the_page_and_segmented_by_the_same_model(
    page, session, folder, tmp_path_factory
) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "third.tif"
    write_image(elsewhere, read_image(folder / "second.tif").read()[::-1], axes="yx")
    page.set_input_files("#image-files", [elsewhere])
    wait_for_image(page, "third.tif")
    wait_for_colour(page, (200, 60), BLUE)
    wait_for_colour(page, (200, 200), ORANGE)
    assert Path(session.image("3").image.source).parent == session.path / "images"
    page.click("#tab-results")
    page.click("#panel-results >> text=All images")
    page.click("#export")
    page.wait_for_selector("#exported >> text=third_labels.tif")
    labels = read_image(session.path / "results" / "third_labels.tif").read()
    assert (labels[:, : SIZE // 2 - 8] == 1).mean() > 0.99


def test_what_does_not_fit_is_said_over_the_image_and_channels_can_be_left_out(
    browser, client, session, folder, tmp_path_factory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "bad.png").write_text("no picture")
    write_image(elsewhere / "three.tif", np.zeros((3, 8, 8), np.uint8), axes="cyx")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(client.address.url)
    page.wait_for_selector("#image-select option:nth-child(2)", state="attached")
    page.set_input_files("#image-files", [elsewhere / "bad.png", elsewhere / "three.tif"])
    page.wait_for_selector("#notices >> text=/bad.png: It was not opened/")
    (elsewhere / "bad.geojson").write_text("{")
    page.set_input_files("#stroke-files", elsewhere / "bad.geojson")
    page.wait_for_selector("#notices >> text=/bad.geojson: Nothing was imported/")
    wait_for_image(page, "three.tif")
    page.click("#tab-image")
    differ = page.locator("#differ")
    differ.get_by_text("Details").click()
    differ.get_by_text("1 in first.tif, 3 in three.tif").wait_for()
    used = page.get_by_label("Use channel 2 for training")
    used.click()  # what the session said just before may be drawn once more
    until(page, lambda: session.settings.channels == (0, 2) and not used.is_checked())
    context.close()


def test_an_image_is_closed_with_the_keyboard_after_saying_what_is_lost(
    page, session, folder
) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    pixels = np.count_nonzero(session.strokes("1"))
    page.locator("#image-select").focus()
    for _ in range(2):  # past the button that shows all images
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#dialog >> text=/{pixels:,} painted pixels .background, foreground./")
    page.keyboard.press("Enter")  # on Cancel, which has the focus
    page.wait_for_selector("#dialog", state="hidden")
    assert [one.name for one in session.images] == ["first.tif", "second.tif"]
    page.click("#close-image")
    page.wait_for_selector("#confirm")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_image(page, "second.tif")
    assert [one.name for one in session.images] == ["second.tif"]
    assert (folder / "first.tif").exists()
    page.click("#close-image")
    page.wait_for_selector("#dialog >> text=Nothing is painted on it")
    page.click("#confirm")
    page.wait_for_selector("text=Drop an image here")
    page.wait_for_timeout(800)  # results that are older are hatched after 600 ms
    wait_for_black(page, (60, 60))
    page.wait_for_selector("#close-image:disabled")
    assert session.images == ()


def test_contrast_and_region_of_one_image_are_used_for_the_others(page, session) -> None:
    page.click("#tab-image")
    page.get_by_label("Black of channel 1").fill("100")
    page.click("#region")
    page.click("#copy-settings")
    page.wait_for_selector("text=Done for 1 other image.")
    first, second = session.images
    assert second.region == first.region is not None
    [shown] = second.display["channels"]
    assert abs(shown["low"] - 100) < 1
    page.select_option("#image-select", label="second.tif")
    wait_for_black(page, (200, 60))  # the half of about 60


def test_other_files_are_segmented_from_the_page(page, session, folder, tmp_path_factory) -> None:
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("third.tif", "fourth.tif"):
        write_image(elsewhere / name, read_image(folder / "second.tif").read()[::-1], axes="yx")
    page.click("#tab-results")
    page.set_input_files("#other-files", list(elsewhere.iterdir()))
    page.wait_for_selector("#exported >> text=third_labels.tif")
    page.wait_for_selector("#exported >> text=fourth_labels.tif")
    labels = read_image(session.path / "results" / "third_labels.tif").read()
    assert (labels[:, : SIZE // 2 - 8] == 1).mean() > 0.99
    assert len(session.images) == 2


def test_what_takes_longer_than_a_moment_is_shown_and_can_be_stopped(page, session) -> None:
    ended = threading.Event()

    def endless(progress, cancelled):
        while not cancelled():
            ended.wait(0.01)
        ended.set()

    session.start("areas", endless)
    page.wait_for_selector("#tasks >> text=Measuring areas")
    assert page.locator("#tasks progress").get_attribute("value") is None
    page.click("#tasks >> text=Stop")
    page.wait_for_selector("#tasks:empty", state="attached")
    assert ended.wait(PATIENCE / 1000)

    seen = threading.Event()

    def counting(progress, cancelled):
        done = 0
        while not seen.wait(0.01) and not cancelled():
            done = min(done + 1, 999)
            progress(done, 1000)

    session.start("batch", counting)
    page.wait_for_selector("#tasks >> text=/Segmenting, [0-9]+ s left/")
    assert page.locator("#tasks progress").get_attribute("max") == "1000"
    seen.set()
    page.wait_for_selector("#tasks:empty", state="attached")


def test_compared_extractors_are_seen_side_by_side_and_used_or_named_with_the_reason(
    page, session, monkeypatch
) -> None:
    labels = np.ones((SIZE, SIZE), np.uint16)
    tried = [
        Comparison("gaussian", segmenting=0.5, labels=labels),
        Comparison("vgg", problem="torch is missing."),
    ]
    seen = threading.Event()

    def compare(*args, **options):
        assert seen.wait(PATIENCE / 1000)
        return tried

    monkeypatch.setattr("stroma.session.strokes.guidance.compare", compare)
    paint_both(page)
    page.wait_for_selector("text=Up to date")
    page.click("#tab-model")
    page.click("text=Compare extractors")
    page.keyboard.press("1")
    page.wait_for_selector("[title^='Paint '][title$='(1)'][aria-pressed=true]", state="attached")
    busy = page.get_by_role("button", name="Compare extractors").is_disabled()
    seen.set()
    assert busy
    page.click("text=Why 1 could not be tried")
    page.wait_for_selector("text=vgg: torch is missing.")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.compared img')].map((i) => i.naturalWidth)"
        ".join() === '256,256'"
    )
    page.get_by_role("button", name="Use Gaussian blur only").click()
    page.wait_for_function("() => document.querySelector('#alias').value === 'gaussian'")
    assert session.settings.param.fe_name == "gaussian_features"


def test_a_dropped_image_is_opened(page, session) -> None:
    page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(16, 16);
          canvas.getContext("2d").fillRect(0, 0, 16, 16);
          const picture = await canvas.convertToBlob();
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([picture], "dropped.png"));
          const stage = document.getElementById("canvas");
          const how = { dataTransfer, bubbles: true, cancelable: true };
          for (const kind of ["dragover", "drop"]) stage.dispatchEvent(new DragEvent(kind, how));
        }"""
    )
    wait_for_image(page, "dropped.png")
    assert session.image("3").shape == (16, 16)
    assert page.locator(".dropping").count() == 0


def test_strokes_are_imported_through_the_page_and_undone(page, session, tmp_path) -> None:
    session.set_mode("paused")  # a result that is older than the strokes stays in sight
    session.paint("1", [(60, 40), (60, 80)], label=1)
    session.paint("1", [(60, 170), (60, 215)], label=2)
    path = session.export_strokes("1", tmp_path / "strokes.zip")
    session.clear("1")
    wait_for_grey(page, (60, 60))
    page.click("#tab-results")
    page.set_input_files("#stroke-files", path)
    page.wait_for_selector("text=The strokes of strokes.zip were imported")
    wait_for_colour(page, (60, 60), BLUE)
    assert session.strokes("1")[60, 190] == 2
    page.click("#undo")
    page.wait_for_selector("#redo:not([disabled])")
    assert not session.strokes("1").any()
    page.wait_for_selector("#tasks:empty", state="attached")


def test_strokes_painted_while_the_connection_is_gone_arrive_when_it_is_back(page, session) -> None:
    page.evaluate("() => { window.dropped = WebSocket.prototype.send; }")
    page.evaluate("() => { WebSocket.prototype.send = function () { this.close(); }; }")
    page.keyboard.press("1")
    stroke(page, (60, 40), (60, 80))
    page.wait_for_selector("text=Connection lost")
    stroke(page, (100, 40), (100, 80))
    assert not session.strokes("1").any()
    wait_for_colour(page, (100, 60), BLUE, kept=False)
    page.evaluate("() => { WebSocket.prototype.send = window.dropped; }")
    page.wait_for_selector("#connection:empty", state="attached")
    page.wait_for_selector("#undo:not([disabled])")
    wait_for_colour(page, (60, 60), BLUE)
    assert session.strokes("1")[60, 60] == session.strokes("1")[100, 60] == 1
    session.undo()
    session.undo()
    assert session.undoable is None


def test_every_control_has_a_name_and_the_page_fits_1024_pixels(page) -> None:
    page.set_viewport_size({"width": 1024, "height": 700})
    for tab in ("paint", "image", "model", "results"):
        page.click(f"#tab-{tab}")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll(
                'button, input, select, canvas:not([aria-hidden])')]
              .filter((e) => e.offsetParent !== null)
              .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()
                || e.title || (e.labels && e.labels.length)))
              .map((e) => e.outerHTML)"""
        )
        assert nameless == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 1024


def test_nothing_is_loaded_from_elsewhere(browser, client) -> None:
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(client.address.url)
    page.wait_for_selector("[aria-label='Paint background']")
    context.close()
    allowed = (client.origin, "blob:")
    assert [url for url in asked if not url.startswith(allowed)] == []
