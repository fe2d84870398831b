"""Tracks on the page: from a class to tails, a lineage, corrections and back."""

from __future__ import annotations

import numpy as np
import pytest
from tests.session.scene import settle
from tests.web.browsing import PATIENCE, SIZE, place

from stroma.errors import LabelError, ParameterError
from stroma.io import write_image
from stroma.session import Session
from stroma.workflow.moving.frame_objects import parts_of, write_objects

FRAMES = 4


def frames() -> np.ndarray:
    """Return (t, y, x) labels: one that divides at frame 2, and one that goes its way."""
    y, x = np.indices((SIZE, SIZE))

    def disk(row: float, column: float, radius: float) -> np.ndarray:
        return np.hypot(y - row, x - column) < radius

    labels = np.zeros((FRAMES, SIZE, SIZE), np.uint16)
    for t in range(FRAMES):
        labels[t][disk(200, 60 + 6 * t, 14)] = 1
        if t < 2:
            labels[t][disk(80, 120, 20)] = 2
        else:
            labels[t][disk(66 - 4 * t, 120, 14)] = 2
            labels[t][disk(94 + 4 * t, 120, 14)] = 3
    return labels


@pytest.fixture
def session(tmp_path):
    """A movie of bright disks, with strokes on one and beside; and an image."""
    noise = np.random.default_rng(0).normal(0, 4, (FRAMES, SIZE, SIZE))
    values = (np.where(frames() > 0, 180, 60) + noise).clip(0, 255).astype(np.uint8)
    path = write_image(tmp_path / "movie.tif", values, axes="tyx")
    still = write_image(tmp_path / "still.tif", values[0], axes="yx")
    with Session.create(tmp_path / "work.stroma", "gaussian") as made:
        made.set_params(clf_iterations=20)
        key = made.add_image(path)
        made.add_image(still)
        made.paint(key, [(30, 30), (30, 220)], label=1, radius=4, plane={"t": 0})
        made.paint(key, [(80, 108), (80, 132)], label=2, radius=4, plane={"t": 0})
        settle(made)
        yield made


@pytest.fixture
def labels(tmp_path, session):
    """Tracks of the movie from its label images."""
    path = write_image(tmp_path / "labels.tif", frames(), axes="tyx")
    session.track("1", path)
    return session


# ---------------------------------------------------------------------- the server


def test_the_parts_of_a_class_are_tracked(client, session):
    with client.tab() as tab:
        found = tab.ask("track", image="1", label=2, smallest=100)["result"]
        assert found == {"objects": 10, "tracks": 4, "divisions": 1}
        assert tab.state(lambda s: s["images"][0]["tracked"])["images"][1]["tracked"] is False
    written = session.path / "tracks" / "1" / "objects"
    assert len(list(written.iterdir())) == FRAMES


def test_a_still_image_has_no_tracks(client, session):
    with client.tab() as tab:
        refused = tab.ask("track", image="2", label=2)
        assert "Tracks need a movie" in refused["error"]
        assert tab.ask("tails", image="2", frame=0)["result"] is None
        assert tab.ask("lineage", image="2")["result"] is None


def test_tails_lead_from_where_an_object_was_through_its_mother(client, labels):
    with client.tab() as tab:
        found = tab.ask("tails", image="1", frame=3)["result"]
        assert (found["count"], found["tracks"], found["divisions"]) == (3, 4, 1)
        by_label = {tail["label"]: tail for tail in found["tails"]}
        alone, up = by_label[1], by_label[2]
        assert alone["points"] == [[t, 200.0, 60.0 + 6 * t] for t in range(4)]
        assert [p[0] for p in up["points"]] == [0, 1, 2, 3]
        assert up["points"][0][1:] == [80.0, 120.0]
        assert up["family"] == by_label[3]["family"] != alone["family"]
        assert tab.ask("tails", image="1", frame=99)["result"]["tails"] == []


def test_a_lineage_names_mothers_and_finds_members(client, labels):
    with client.tab() as tab:
        found = tab.ask("lineage", image="1")["result"]
        mother = next(line for line in found["lines"] if line["frames"] == [0, 1])
        daughters = [line for line in found["lines"] if line["mother"] == mother["track"]]
        assert [line["frames"] for line in daughters] == [[2, 3], [2, 3]]
        assert mother["row"] == np.mean([line["row"] for line in daughters])
        there = tab.ask("track-member", image="1", track=mother["track"], frame=3)["result"]
        assert there == {"frame": 1, "label": 2, "y": 80.0, "x": 120.0}
        assert tab.ask("track-member", image="1", track=99, frame=0)["result"] is None


def test_a_correction_is_told_to_all_and_undone(client, labels):
    with client.tab() as one, client.tab() as other:
        values = {"image": "1", "kind": "unlink", "objects": [[0, 1], [1, 1]]}
        other.hear()  # is there
        one.ask("correct-tracks", **values)
        other.until(event="tracks", image="1")
        assert one.ask("tails", image="1", frame=3)["result"]["tracks"] == 5
        undone = one.ask("undo")["result"]
        assert undone["kind"] == "unlink tracks"
        assert one.ask("tails", image="1", frame=3)["result"]["tracks"] == 4
        refused = one.ask("correct-tracks", image="1", kind="link", objects=[[0, 1]])
        assert "takes 2 different objects" in refused["error"]


def test_parts_too_small_are_none_and_the_rest_are_numbered():
    classes = np.zeros((9, 9), np.uint8)
    classes[1, 1:3] = classes[3, 3] = 2  # (1, 2) and (3, 3) do not touch
    classes[5:8, 5:8] = 2
    found = parts_of(classes, 2, smallest=2)
    assert found[1, 1] == 1
    assert found[3, 3] == 0
    assert found[6, 6] == 2
    many = np.zeros((600, 600), np.uint8)
    many[::2, ::2] = 1
    with pytest.raises(LabelError, match="90000 parts"):
        parts_of(many, 1, smallest=1)


def test_a_class_without_parts_is_said_to_have_none(tmp_path):
    path = write_image(tmp_path / "classes.tif", frames().astype(np.uint8), axes="tyx")
    with pytest.raises(ParameterError, match="No frame has a part of spore"):
        write_objects(path, tmp_path / "objects", label=9, name="spore")


# ---------------------------------------------------------------------- the page


def click(page, y: float, x: float) -> None:
    page.mouse.click(*place(page, y, x))


def picked(page, words: str) -> None:
    """Wait until the panel says what is picked."""
    page.wait_for_function(
        "words => document.querySelector('#track-picked').textContent === words",
        arg=words,
        timeout=PATIENCE,
    )


def test_tracks_are_seen_followed_and_corrected_on_the_page(page, labels):
    page.click("#tab-tracks")
    page.wait_for_selector("#track-note:text-is('10 objects in 4 tracks, 1 divisions.')")
    page.wait_for_selector("#lineage [data-track='4']", state="attached")
    page.click("#track-pick")
    click(page, 200, 60)
    picked(page, "Picked: object 1 in frame 1.")
    page.keyboard.press("Shift+Period")
    page.wait_for_selector("#track-followed:text-is('Following track 1: in frame 2 at 200, 66.')")
    click(page, SIZE / 2, SIZE / 2)  # where it is now, as it is followed
    picked(page, "Picked: object 1 in frame 1, 1 in frame 2.")
    assert page.is_disabled("#track-swap")  # of one frame only
    assert page.is_enabled("#track-link")
    page.click("#track-unlink")
    page.wait_for_selector("#track-note:text-is('10 objects in 5 tracks, 1 divisions.')")
    assert labels.tracks("1").count == 5
    page.click("#undo")
    page.wait_for_selector("#track-note:text-is('10 objects in 4 tracks, 1 divisions.')")
    assert labels.tracks("1").count == 4


def test_the_lineage_is_as_wide_as_its_panel_however_many_tracks_there_are(page, labels):
    page.click("#tab-tracks")
    page.wait_for_selector("#lineage [data-track='4']", state="attached")
    page.set_viewport_size({"width": 1280, "height": 60})  # lower than the plot is
    drawn, wide = page.evaluate(
        "() => { const plot = document.querySelector('#lineage');"
        " return [plot.getScreenCTM().a * plot.viewBox.baseVal.width,"
        " plot.getBoundingClientRect().width]; }"
    )
    assert drawn == pytest.approx(wide, abs=1)
    assert wide > 100


def test_a_line_of_the_lineage_leads_to_its_object(page, labels):
    page.click("#tab-tracks")
    page.locator("#lineage .track[data-track='4']").dispatch_event("click", {"clientX": 10_000})
    picked(page, "Picked: object 3 in frame 4.")
    page.wait_for_selector("#track-followed:text-is('Following track 4: in frame 4 at 106, 120.')")
    page.click("#track-pick")
    click(page, SIZE / 2, SIZE / 2)  # it is in the middle; what is clicked again is left out
    picked(page, "Nothing is picked. Click objects with the tool.")
